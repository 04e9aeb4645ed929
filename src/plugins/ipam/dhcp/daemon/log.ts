/** The daemon's log: lines on standard error, as the reference's. */

/** Writes a line. */
export type Log = (line: string) => void;

/** `2026/11/25 03:14:00 LINE`. That nobody reads it any more is no error: the leases matter more. */
export function logTo(write: (text: string) => void): Log {
  return (line) => {
    const [date = '', time = ''] = new Date().toISOString().split('T');
    try {
      write(`${date.replaceAll('-', '/')} ${time.slice(0, 8)} ${line}\n`);
    } catch {
      // A full disk, a log that was closed.
    }
  };
}
