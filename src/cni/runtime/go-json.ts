/**
 * A JSON value as Go's encoding/json writes it: the keys of objects sorted, `<`, `>`, `&` and the line separators
 * U+2028 and U+2029 escaped. What libcni has read into maps and writes again, it writes so.
 */
export function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return escaped(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${escaped(key)}:${goJson(member)}`).join(',')}}`;
}

function escaped(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replaceAll(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
