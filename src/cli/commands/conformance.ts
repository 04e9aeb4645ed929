import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { CniError } from '../../cni/index.ts';
import { isJsonObject, type JsonObject } from '../../cni/json.ts';
import type { Call, Command, Report } from '../command.ts';
import { moveToOwnNode } from '../conformance/node.ts';
import { count, jsonReport, listText, ruleJson, textReport } from '../conformance/report.ts';
import { type Kind, kinds, type Rule } from '../conformance/rule.ts';
import { rules } from '../conformance/rules/index.ts';
import { examine, tryRules } from '../conformance/run.ts';
import { choose } from '../conformance/subject.ts';
import { exitCodes } from '../exit-code.ts';
import * as option from '../option.ts';
import { pluginPathOf } from '../settings.ts';
import { didYouMean } from '../text/nearest.ts';
import { UsageError } from '../usage-error.ts';

const config: option.Option = {
  name: 'config',
  value: 'FILE',
  about: "a configuration with the plugin in it; a plugin's default if not given",
};
const kindOption: option.Option = {
  name: 'kind',
  value: 'KIND',
  about: `what the plugin is: ${kinds.join(', ')}; found out if not given`,
};
const prevResult: option.Option = {
  name: 'prev-result',
  value: 'FILE',
  about: 'the previous result that a chained plugin gets, as JSON',
};
const ifname: option.Option = {
  name: 'ifname',
  value: 'NAME',
  about: 'the interface: eth0 if not given, for loopback lo',
};
const timeout: option.Option = {
  name: 'timeout',
  value: 'SECONDS',
  fallback: '10',
  about: 'how long one call may take before the plugin is killed',
};
const rule: option.Option = {
  name: 'rule',
  value: 'ID',
  repeat: true,
  about: 'tries this rule only; may be given several times',
};
const except: option.Option = {
  name: 'except',
  value: 'ID',
  repeat: true,
  about: 'does not try this rule; may be given several times',
};
const list: option.Option = { name: 'list', about: 'lists the rules, and tries none' };

/** `fairlead conformance`. */
export const conformance: Command = {
  name: 'conformance',
  summary: 'tries any CNI plugin by the rules of the specification',
  about: `Runs an executable, whoever wrote it, through what the CNI specification demands of a plugin, and
shows which rules hold, which are broken (what was seen, what should be, by which section) and
which could not be tried. Everything happens in network and mount namespaces of the command's own:
no link, rule or state of this machine is touched. Needs root.`,
  parameters: [
    { name: 'PATH', about: "the plugin's executable; its file name is its type", presence: 'optional' },
  ],
  options: [config, kindOption, prevResult, ifname, option.pluginPath, timeout, rule, except, list],
  examples: [
    'fairlead conformance /opt/cni/bin/bridge',
    'fairlead conformance ./my-plugin --config my.conflist --json',
    'fairlead conformance /opt/cni/bin/bridge --rule del-twice',
    'fairlead conformance --list',
  ],
  whenFailed: 'a rule is broken, or none could be tried',
  run,
};

async function run(call: Call): Promise<Report> {
  const { options, io } = call;
  if (options.flag(list)) return { text: (style) => listText(rules, style), json: rules.map(ruleJson) };
  const path = executable(call.parameters[0]);
  const type = basename(path);
  const chosenRules = rulesOf(call);
  const { kind, origin, ...chosen } = choose({
    type,
    file: options.text(config),
    kind: kindOf(options.text(kindOption)),
    ifname: options.text(ifname),
    prevResult: resultOf(options.text(prevResult)),
  });
  const asked = {
    ...chosen,
    path,
    type,
    pluginPath: [...new Set([dirname(path), ...pluginPathOf(call)])],
    env: inherited(io.env),
    timeoutMs: secondsOf(options.text(timeout)) * 1000,
  };
  if (!io.isRoot) throw new CniError('internal', 'cannot make namespaces: not permitted');
  moveToOwnNode();
  const subject = await examine(asked, kind);
  const verdicts = await tryRules(subject, chosenRules);
  const findings = { subject, origin, verdicts };
  const right = count(verdicts, 'broken') === 0 && count(verdicts, 'holds') > 0;
  return {
    exitCode: right ? exitCodes.done : exitCodes.failed,
    text: (style) => textReport(findings, style),
    json: jsonReport(findings),
  };
}

function executable(parameter: string | undefined): string {
  if (parameter === undefined) throw new UsageError("PATH is missing (the plugin's executable)");
  const path = resolve(parameter);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new UsageError(`there is no executable ${path}`);
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new UsageError(`${path} is not executable`, `\`chmod +x ${path}\` makes it so`);
  }
  return path;
}

function rulesOf({ options }: Call): readonly Rule[] {
  const [only, without] = [named(options.list(rule)), named(options.list(except))];
  return rules.filter(({ id }) => (only.length === 0 || only.includes(id)) && !without.includes(id));
}

function named(ids: readonly string[]): readonly string[] {
  const known = rules.map(({ id }) => id);
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown === undefined) return ids;
  throw new UsageError(`there is no rule ${unknown}`, didYouMean(unknown, known) || '--list lists them');
}

function kindOf(text: string | undefined): Kind | undefined {
  if (text === undefined) return undefined;
  const kind = kinds.find((each) => each === text);
  if (kind === undefined) throw new UsageError(`--kind must be one of ${kinds.join(', ')}, got ${text}`);
  return kind;
}

function resultOf(file: string | undefined): JsonObject | undefined {
  if (file === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--prev-result ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isJsonObject(json)) throw new UsageError(`--prev-result ${file} must hold a JSON object`);
  return json;
}

function secondsOf(text = ''): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 3600) return seconds;
  throw new UsageError(`--timeout must be a number of seconds, more than 0 and at most 3600, got ${text}`);
}

/** The command's own environment, without what is the runtime's to set. */
function inherited(env: Call['io']['env']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('CNI_') ? [] : [[name, value]],
    ),
  );
}
