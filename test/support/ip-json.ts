/** What iproute2 prints as JSON. */
import { output } from './program.ts';

/** An object of iproute2's JSON. */
export type IpObject = Readonly<Record<string, unknown>>;

/** Runs a command of iproute2 that prints JSON or nothing. It prints an empty object for what it was not asked to show. */
export async function ipJson(argv: readonly string[]): Promise<readonly IpObject[]> {
  const text = await output(argv);
  return text.trim() === '' ? [] : parse(text);
}

function parse(text: string): readonly IpObject[] {
  return (JSON.parse(text) as IpObject[]).filter((each) => Object.keys(each).length > 0);
}

type OfEach<C extends readonly string[]> = { readonly [I in keyof C]: readonly IpObject[] };

/** What one process of `ip -j` prints for each of several commands, which it reads from its input. @throws Error where it is not one list each */
export async function ipBatch<const C extends readonly string[]>(
  options: readonly string[],
  commands: C,
): Promise<OfEach<C>> {
  const text = await output(['ip', '-j', ...options, '-batch', '-'], { stdin: commands.join('\n') });
  const lists = text.split('\n').filter((line) => line !== '');
  if (lists.length !== commands.length) throw new Error(`${commands.join('; ')} printed:\n${text}`);
  return lists.map(parse) as OfEach<C>;
}
