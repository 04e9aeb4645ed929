import { toCniError } from '../../cni/index.ts';
import {
  formatLoadProblem,
  loadNetworks,
  type NetworkConfigurationList,
  type Runtime,
} from '../../cni/runtime/index.ts';
import { isAtLeast } from '../../cni/version.ts';
import type { Call, Command, Report } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import * as option from '../option.ts';
import { directoryOf, networkOf, runtimeOf, runtimeOptions } from '../settings.ts';
import type { Style } from '../text/style.ts';
import { type Cell, table } from '../text/table.ts';

/** `fairlead status`. */
export const status: Command = {
  name: 'status',
  summary: 'says whether networks can take containers now',
  about: `Asks whether ADD could work now: STATUS of every plugin of a network, or of every network. A network
of a version before 1.1.0 cannot be asked: STATUS does not exist there. Of such a network only is
seen whether the plugins are there and have its version.`,
  parameters: [{ name: 'NETWORK', about: 'the name of a network configuration', presence: 'optional' }],
  options: runtimeOptions,
  examples: ['fairlead status', 'fairlead status pods --json'],
  whenFailed: 'a network is not ready',
  run,
};

/** One network's answer. */
interface Answer {
  readonly network: string;
  /** Null where it cannot be asked. */
  readonly ready: boolean | null;
  /** The CNI error's code and message where it is not ready. */
  readonly code?: number;
  readonly message: string;
}

async function run(call: Call): Promise<Report> {
  const [name] = call.parameters;
  const { networks, problems } =
    name === undefined
      ? loadNetworks(directoryOf(call, option.netConfPath))
      : { networks: [networkOf(call, name)], problems: [] };
  const runtime = runtimeOf(call);
  const answers: Answer[] = [];
  for (const network of networks) answers.push(await ask(runtime, network));
  const ready = answers.every((answer) => answer.ready !== false) && problems.length === 0;
  return {
    exitCode: ready ? exitCodes.done : exitCodes.failed,
    text: (style) =>
      table(
        ['NETWORK', 'STATUS', 'REASON'],
        answers.map((answer) => [answer.network, stateOf(answer, style), answer.message]),
        style,
      ) || `no networks in ${directoryOf(call, option.netConfPath)}\n`,
    json: { networks: answers, problems },
    warnings: problems.map(formatLoadProblem),
  };
}

function stateOf({ ready, code }: Answer, style: Style): Cell {
  if (ready === null) return { text: 'not asked', style: style.yellow };
  return ready ? { text: 'ready', style: style.green } : { text: `error ${code}`, style: style.red };
}

async function ask(runtime: Runtime, network: NetworkConfigurationList): Promise<Answer> {
  const { name, cniVersion } = network;
  const [problem] = (await runtime.validate(network)).problems;
  try {
    if (problem !== undefined) throw problem.error;
    await runtime.status(network);
    if (isAtLeast(cniVersion, '1.1.0')) return { network: name, ready: true, message: '' };
    const message = `version ${cniVersion} has no STATUS; the plugins are there and have this version`;
    return { network: name, ready: null, message };
  } catch (error) {
    const { code, message } = toCniError(error);
    return { network: name, ready: false, code, message };
  }
}
