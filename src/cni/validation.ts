/**
 * Asking a plugin what it thinks of a configuration, without having it do anything: the configuration stands beside the
 * question for its versions, and the answer beside them (docs/decisions/0013). A plugin that does not know of this ignores
 * it, as the specification has it for every key that it does not know.
 */
import { isJsonObject, type JsonObject, member } from './json.ts';
import type { Presence, Problem, Schema } from './schema/schema.ts';

/** The parts that a schema's values have, as JSON; an empty object where nothing is known of them. */
export type StructureJson = {
  readonly members?: Readonly<Record<string, StructureJson>>;
  readonly list?: StructureJson;
  readonly record?: StructureJson;
};

/** What a plugin answers: what is wrong with its own keys in the configuration, and which keys it knows. */
export interface ValidationAnswer {
  readonly problems: readonly Problem[];
  readonly keys: StructureJson;
}

/** What is added to VERSION's `cniVersion` to ask. */
export function validationQuestion(config: JsonObject): JsonObject {
  return { fairlead: { validate: config } };
}

/** What is added to the answer to VERSION; nothing if nothing else was asked. */
export function validationAnswer(schema: Schema<unknown>, question: JsonObject): JsonObject {
  const asked = member(question, 'fairlead');
  const config = isJsonObject(asked) ? member(asked, 'validate') : undefined;
  if (!isJsonObject(config)) return {};
  const problems: Problem[] = [];
  schema.read(config, [], problems);
  return {
    fairlead: { problems, keys: structureOf(schema) } satisfies { fairlead?: unknown } & ValidationAnswer,
  };
}

function structureOf({ structure }: Schema<unknown, Presence>): StructureJson {
  switch (structure?.kind) {
    case undefined:
      return {};
    case 'object': {
      const members = Object.entries(structure.members);
      return { members: Object.fromEntries(members.map(([key, schema]) => [key, structureOf(schema)])) };
    }
    case 'list':
    case 'record':
      return { [structure.kind]: structureOf(structure.item) };
  }
}
