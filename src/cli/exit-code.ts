/** How `fairlead` ends, for scripts. The help of every command and docs/command-line.md show these lines. */

/** The exit codes by name. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
} as const;

/** What each code says, in the order of the codes. */
export const exitCodeTexts: readonly (readonly [code: number, about: string])[] = [
  [exitCodes.done, 'done'],
  [exitCodes.failed, 'failed, or what was looked at is not right'],
  [exitCodes.usage, 'wrong usage; nothing was done'],
];
