/**
 * A text in one line, as a terminal can show it: a plugin's message or a cache entry must neither break a table nor
 * say something to the terminal. Line feeds become `; `, other control characters `\ufffd`.
 */
export function printable(text: string): string {
  return text
    .trim()
    .replaceAll(/\s*\n\s*/g, '; ')
    .replaceAll(/\p{Cc}/gu, '\ufffd');
}
