/** Asking plugins that are not in this executable what they think of a configuration (docs/decisions/0013). */
import type { JsonObject } from '../../cni/json.ts';
import { isJsonObject, member } from '../../cni/json.ts';
import { type Caller, callPlugin } from '../../cni/runtime/call.ts';
import type { Problem } from '../../cni/schema/index.ts';
import * as s from '../../cni/schema/index.ts';
import { validationQuestion } from '../../cni/validation.ts';
import { currentVersion } from '../../cni/version.ts';
import type { Structured } from './unknown-keys.ts';

/** What a plugin said. */
export interface Opinion {
  /** What is wrong with its own keys. */
  readonly problems: readonly Problem[];
  /** The keys that it knows. */
  readonly keys: Structured;
}

const answerSchema = s.object({
  problems: s.array(s.object({ path: s.array(s.unknown()), message: s.string() })),
  keys: s.unknown(),
});

/** Asks a plugin. Undefined where it has no answer, be it that it cannot be called: that is told elsewhere. */
export async function askPlugin(
  caller: Caller,
  type: string,
  config: JsonObject,
): Promise<Opinion | undefined> {
  try {
    const stdout = await callPlugin(caller, {
      type,
      command: 'VERSION',
      // As where only the versions are asked (src/cni/runtime/versions.ts).
      attachment: { containerId: '', netns: 'dummy', ifname: 'dummy' },
      path: 'dummy',
      config: { cniVersion: currentVersion, ...validationQuestion(config) },
    });
    return opinionIn(JSON.parse(stdout));
  } catch {
    return undefined;
  }
}

function opinionIn(json: unknown): Opinion | undefined {
  const answer = isJsonObject(json) ? answerSchema.read(member(json, 'fairlead'), [], []) : undefined;
  if (answer === undefined) return undefined;
  const problems = answer.problems.map(({ path, message }) => ({ path: path.filter(isStep), message }));
  return { problems, keys: structuredFrom(answer.keys) };
}

function isStep(step: unknown): step is string | number {
  return typeof step === 'string' || typeof step === 'number';
}

/** The parts of values as a plugin told them; what it did not tell may be anything. */
function structuredFrom(json: unknown): Structured {
  if (!isJsonObject(json)) return { structure: undefined };
  const { members, list, record } = json;
  if (isJsonObject(members)) {
    const parts = Object.entries(members).map(([key, value]) => [key, structuredFrom(value)] as const);
    return { structure: { kind: 'object', members: Object.fromEntries(parts) } };
  }
  if (list !== undefined) return { structure: { kind: 'list', item: structuredFrom(list) } };
  if (record !== undefined) return { structure: { kind: 'record', item: structuredFrom(record) } };
  return { structure: undefined };
}
