import type { Environment } from '../../cni/index.ts';

/** Ways to set a text off. Without a terminal each returns the text as it is. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** The style of texts that go to a program or a file. */
export const plain: Style = styleOf(false);

/**
 * The style of texts for a stream: coloured on a terminal only, and not where `NO_COLOR` is set (no-color.org: to
 * anything but an empty text) or the terminal says that it knows no colours (`TERM=dumb`).
 */
export function styleFor(isTerminal: boolean, env: Environment): Style {
  return isTerminal && !env.NO_COLOR && env.TERM !== 'dumb' ? styleOf(true) : plain;
}

/** Select Graphic Rendition (ECMA-48, 8.3.117): `on` sets what `off` ends. */
function styleOf(coloured: boolean): Style {
  const by = (on: number, off: number) => (text: string) =>
    coloured && text !== '' ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return { bold: by(1, 22), dim: by(2, 22), red: by(31, 39), green: by(32, 39), yellow: by(33, 39) };
}
