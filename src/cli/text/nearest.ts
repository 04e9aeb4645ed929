/** "Did you mean": finding what was probably meant by a name that nobody knows. */

/**
 * The candidate that is most like a text; undefined if none is. Alike are texts that differ only in case or in `-` and
 * `_`, or in up to a third of their letters (one letter put in, left out or replaced, or two exchanged, each counts 1).
 */
export function nearest(text: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(text.length / 3)) + 1;
  for (const candidate of candidates) {
    const count = distance(fold(text), fold(candidate));
    if (count >= least) continue;
    [best, least] = [candidate, count];
  }
  return best;
}

/** ` (did you mean "add"?)`, or nothing where there is no such candidate. */
export function didYouMean(text: string, candidates: Iterable<string>): string {
  const found = nearest(text, candidates);
  return found === undefined ? '' : `did you mean ${found}?`;
}

function fold(text: string): string {
  return text.toLowerCase().replaceAll(/[-_]/g, '');
}

/** The optimal string alignment distance. Texts of over 64 letters are no slips of the hand. */
function distance(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const exchanged =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(before, j - 2) + 1 : replaced;
      current.push(Math.min(replaced, exchanged, at(previous, j) + 1, at(current, j - 1) + 1));
    }
    [before, previous] = [previous, current];
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
