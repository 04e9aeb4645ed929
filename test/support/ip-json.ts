/** What iproute2 prints as JSON. */
import { output } from './program.ts';

/** An object of iproute2's JSON. */
export type IpObject = Readonly<Record<string, unknown>>;

/** Runs a command of iproute2 that prints JSON or nothing. It prints an empty object for what it was not asked to show. */
export async function ipJson(argv: readonly string[]): Promise<readonly IpObject[]> {
  const text = await output(argv);
  if (text.trim() === '') return [];
  return (JSON.parse(text) as IpObject[]).filter((each) => Object.keys(each).length > 0);
}
