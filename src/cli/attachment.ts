/** The attachment that `add`, `check` and `del` are about: arguments, options and environment as cnitool reads them. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { isJsonObject, type JsonObject } from '../cni/json.ts';
import { identifierProblem, interfaceNameProblem } from '../cni/names.ts';
import type { AttachmentParameters } from '../cni/runtime/index.ts';
import { findSyntaxProblem } from '../cni/runtime/json-text.ts';
import type { Call, Parameter } from './command.ts';
import * as option from './option.ts';
import { UsageError } from './usage-error.ts';

/** The arguments of `add`, `check` and `del`. */
export const attachmentParameters: readonly Parameter[] = [
  { name: 'NETWORK', about: 'the name of a network configuration' },
  { name: 'NETNS', about: "the network namespace's file; a NAME alone is /run/netns/NAME" },
];

/** Their options, besides those of every command that calls plugins. */
export const attachmentOptions = [option.ifname, option.containerId, option.args, option.capabilityArgs];

/** An attachment whose namespace is known. */
export type NamedAttachment = AttachmentParameters & { readonly netns: string };

/** Reads the attachment. Throws a `UsageError` that names the option or variable that is wrong. */
export function attachmentOf(call: Call): NamedAttachment {
  const [, netnsArgument = ''] = call.parameters;
  const netns = namespacePath(netnsArgument);
  const containerId = call.options.text(option.containerId) ?? containerIdFor(netns);
  const ifname = call.options.text(option.ifname) ?? '';
  refuse(call, option.containerId, identifierProblem(containerId));
  refuse(call, option.ifname, interfaceNameProblem(ifname));
  return { containerId, ifname, netns, args: argsOf(call), capabilityArgs: capabilityArgsOf(call) };
}

function refuse(call: Call, which: option.Option, problem: string | undefined): void {
  if (problem !== undefined) throw new UsageError(`${call.options.source(which)} ${problem}`);
}

/** A NAME is where `ip netns` keeps it (ip-netns(8)); a path is made absolute and clean, as cnitool does. */
function namespacePath(text: string): string {
  return text.includes('/') ? resolve(text) : `/run/netns/${text}`;
}

/** cnitool's id: the first 10 bytes of the path's SHA-512 in hexadecimal (cnitool/cnitool.go). */
function containerIdFor(netns: string): string {
  return `cnitool-${createHash('sha512').update(netns).digest('hex').slice(0, 20)}`;
}

/** `K=V;K=V` as pairs; a value may hold further `=`. */
function argsOf(call: Call): readonly (readonly [string, string])[] {
  const pairs = (call.options.text(option.args) ?? '').split(';').filter((pair) => pair !== '');
  return pairs.map((pair) => {
    const equals = pair.indexOf('=');
    if (equals > 0) return [pair.slice(0, equals), pair.slice(equals + 1)];
    const source = call.options.source(option.args);
    throw new UsageError(`${source} must be KEY=VALUE pairs joined by ";", got ${JSON.stringify(pair)}`);
  });
}

const example = '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}';

function capabilityArgsOf(call: Call): JsonObject {
  const text = call.options.text(option.capabilityArgs);
  if (text === undefined) return {};
  const json = parseJson(text);
  if (isJsonObject(json)) return json;
  const at = findSyntaxProblem(text);
  const wrong =
    at === undefined ? 'it is JSON, but no object' : `at character ${at.column} should be ${at.expected}`;
  throw new UsageError(
    `${call.options.source(option.capabilityArgs)} must be a JSON object such as ${example}: ${wrong}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
