/** The daemon's log: lines on standard error, as the reference's. */
import { bytesFromText } from '../../../../lib/bytes.ts';
import { processFiles } from '../../../../plugin/process-files.ts';

/** Writes a line. */
export type Log = (line: string) => void;

/** `2026/11/25 03:14:00 LINE` on standard error; nobody there to read it is no error. */
export const logToStderr: Log = (line) => {
  const [date = '', time = ''] = new Date().toISOString().split('T');
  try {
    processFiles.writeSync(2, bytesFromText(`${date.replaceAll('-', '/')} ${time.slice(0, 8)} ${line}\n`));
  } catch {
    // The lease matters more.
  }
};
