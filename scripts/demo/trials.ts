/** What is tried with real packets. */
import { type Answer, ask, type Protocol } from '../../test/support/traffic.ts';

/** One question across the network, and what its answer must be. */
export interface Trial {
  readonly what: string;
  /** The namespace that asks; undefined is the node. */
  readonly from: string | undefined;
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /** The server that must answer. */
  readonly server: string;
  /** The address that the server must see, where that is the point. */
  readonly seenAs?: string;
}

/** Tries one; the line that says how it went, and whether it went well. */
export async function run(trial: Trial): Promise<{ readonly good: boolean; readonly line: string }> {
  const { what, from, protocol, address, port, seenAs } = trial;
  const answer = await ask(from, protocol, address, port);
  const problem = problemOf(trial, answer);
  const target = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const seen = seenAs === undefined ? '' : `, seen as ${seenAs}`;
  const end = problem ?? `${(answer?.ms ?? 0).toFixed(1).padStart(5)} ms${seen}`;
  const line = `${problem === undefined ? '✓' : '✗'} ${what.padEnd(34)} ${protocol} ${target.padEnd(24)} ${end}`;
  return { good: problem === undefined, line };
}

function problemOf({ server, seenAs }: Trial, answer: Answer | undefined): string | undefined {
  if (answer === undefined) return 'no answer';
  if (answer.server !== server) return `answered by ${answer.server}, not by ${server}`;
  if (seenAs !== undefined && answer.source !== seenAs) return `seen as ${answer.source}, not as ${seenAs}`;
  return undefined;
}
