import { createRuntime } from '../../cni/runtime/index.ts';
import type { Call, Command, Report } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import * as option from '../option.ts';
import { pluginPathOf } from '../settings.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { askPlugin } from '../validate/ask.ts';
import { type Inspection, inspectFile, type PluginSearch } from '../validate/file.ts';
import { formatFinding } from '../validate/finding.ts';

/** `fairlead validate`. */
export const validate: Command = {
  name: 'validate',
  summary: 'shows every mistake in network configuration files',
  about: `Reads network configuration files as a runtime does and shows everything that is wrong, with line
and column: the network's own keys; the plugins' configuration, by the schemas of the plugins in
this executable, and by what plugins say that are written with Fairlead's packages; plugins that are
not on CNI_PATH, or do not support the network's version. A hint is about a key that nobody knows.
Other plugins are named: what they take is not known. No plugin is asked for more than VERSION.
Needs no root.`,
  parameters: [
    {
      name: 'FILE',
      about: 'a .conflist, or a .conf or .json with a single plugin',
      presence: 'repeated',
    },
  ],
  options: [option.pluginPath],
  examples: ['fairlead validate /etc/cni/net.d/*.conflist'],
  whenFailed: 'a file has an error (hints alone are none)',
  run,
};

/** How long all plugins together may take to say their versions, in milliseconds. */
const versionTimeout = 30_000;

async function run(call: Call): Promise<Report> {
  const pluginPath = pluginPathOf(call);
  const signal = AbortSignal.timeout(versionTimeout);
  const caller = { pluginPath, env: call.io.env, signal };
  const runtime = createRuntime(caller);
  const versions = once((type) => runtime.versions(type));
  const search: PluginSearch = {
    pluginPath,
    versions,
    ask: (type, config) => askPlugin(caller, type, config),
  };
  const inspections: Inspection[] = [];
  for (const file of call.parameters) inspections.push(await inspectFile(file, search));
  const findings = inspections.flatMap((inspection) => inspection.findings);
  return {
    exitCode: findings.some(({ severity }) => severity === 'error') ? exitCodes.failed : exitCodes.done,
    text: (style) => inspections.map((inspection) => describe(inspection, style)).join(''),
    json: {
      files: inspections.map(({ file, network, findings, unchecked }) => ({
        file,
        network: network?.name ?? null,
        plugins: network?.plugins.map(({ type }) => type) ?? [],
        findings,
        unchecked,
      })),
    },
  };
}

/** Each plugin is asked once, however many networks name it. */
function once<T>(ask: (type: string) => Promise<T>): (type: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (type) => {
    const answer = answers.get(type) ?? ask(type);
    answers.set(type, answer);
    return answer;
  };
}

function describe({ file, network, findings, unchecked }: Inspection, style: Style): string {
  const lines = findings.map((finding) => {
    const [place = '', rest = ''] = splitOnce(formatFinding(finding), `: ${finding.severity}: `);
    const colour = finding.severity === 'error' ? style.red : style.yellow;
    return `${style.bold(printable(place))}: ${colour(finding.severity)}: ${printable(rest)}\n`;
  });
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const hints = findings.length - errors;
  const counts = [count(errors, 'error'), count(hints, 'hint')].filter((text) => text !== '').join(', ');
  const what =
    network === undefined
      ? ''
      : `network ${network.name}, ${network.plugins.map(({ type }) => type).join(' → ')}`;
  const verdict = errors === 0 ? style.green('ok') : style.red('wrong');
  const parts = [counts, errors === 0 ? what : '', style.yellow(notChecked(unchecked))];
  return `${lines.join('')}${verdict} ${file}: ${parts.filter((text) => text !== '').join('; ')}\n`;
}

function notChecked([first, ...others]: readonly string[]): string {
  if (first === undefined) return '';
  return others.length === 0
    ? `not checked: the keys of plugin ${first}, which is not Fairlead's and does not tell them`
    : `not checked: the keys of plugins ${[first, ...others].join(', ')}, which are not Fairlead's and do not tell them`;
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}

function count(number: number, noun: string): string {
  if (number === 0) return '';
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
