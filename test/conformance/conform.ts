/** `fairlead conformance`, as CI runs it. */
import { fairlead } from '../cli/fairlead.ts';

/** A rule in the report. */
export interface RuleReport {
  readonly id: string;
  readonly verdict: 'holds' | 'broken' | 'notTried';
  readonly seen?: string;
  readonly expected?: string;
  readonly reason?: string;
}

/** The report. */
export interface ConformanceReport {
  readonly kind: string;
  readonly versions: readonly string[];
  readonly holds: number;
  readonly notTried: number;
  readonly rules: readonly RuleReport[];
}

/** Tries a plugin. @throws Error where there is no report */
export async function conform(
  path: string,
  ...options: readonly string[]
): Promise<{ readonly exitCode: number; readonly report: ConformanceReport }> {
  const { exitCode, stdout, stderr } = await fairlead(['conformance', path, ...options, '--json'], {}, 240);
  const report = JSON.parse(stdout) as ConformanceReport;
  if (report.rules === undefined) throw new Error(`no report of ${path}: ${stdout}${stderr}`);
  return { exitCode, report };
}

/** The rules that are broken. */
export function broken({ rules }: ConformanceReport): readonly RuleReport[] {
  return rules.filter(({ verdict }) => verdict === 'broken');
}
