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
import { table } from '../text/table.ts';

/** `fairlead status`. */
export const status: Command = {
  name: 'status',
  summary: 'says whether networks can take containers now',
  about: `Asks whether ADD could work now: STATUS of every plugin of a network, or of every network. A network
of a version before 1.1.0 cannot be asked; of those only the plugins' versions are checked.`,
  parameters: [{ name: 'NETWORK', about: 'the name of a network configuration', presence: 'optional' }],
  options: runtimeOptions,
  examples: ['fairlead status', 'fairlead status pods --json'],
  whenFailed: 'a network is not ready',
  run,
};

/** One network's answer. */
interface Answer {
  readonly network: string;
  readonly ready: boolean;
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
  const ready = answers.every((answer) => answer.ready) && problems.length === 0;
  return {
    exitCode: ready ? exitCodes.done : exitCodes.failed,
    text: (style) =>
      table(
        ['NETWORK', 'STATUS', 'REASON'],
        answers.map((answer) => [
          answer.network,
          answer.ready
            ? { text: 'ready', style: style.green }
            : { text: `error ${answer.code}`, style: style.red },
          answer.message,
        ]),
        style,
      ) || `no networks in ${directoryOf(call, option.netConfPath)}\n`,
    json: { networks: answers, problems },
    warnings: problems.map(formatLoadProblem),
  };
}

async function ask(runtime: Runtime, network: NetworkConfigurationList): Promise<Answer> {
  const { name, cniVersion } = network;
  const [problem] = (await runtime.validate(network)).problems;
  try {
    if (problem !== undefined) throw problem.error;
    await runtime.status(network);
    const message = isAtLeast(cniVersion, '1.1.0') ? '' : `not asked: version ${cniVersion} has no STATUS`;
    return { network: name, ready: true, message };
  } catch (error) {
    const { code, message } = toCniError(error);
    return { network: name, ready: false, code, message };
  }
}
