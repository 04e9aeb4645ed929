/** The built command line, run as a person or a script runs it, on the sandbox's node. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { binDirectory, dist } from '../support/plugin.ts';
import { type Ended, runProgram } from '../support/program.ts';
import { requireSandbox } from '../support/sandbox.ts';

/** The executable. */
export const executable = `${dist}/fairlead`;

/** Where networks are by default; a tmpfs in the sandbox. */
export const netConfPath = '/etc/cni/net.d';

/** The environment that a person has: nothing of CNI but where the plugins are. */
export const environment = { PATH: process.env.PATH ?? '', CNI_PATH: binDirectory };

/** Runs `fairlead ARGUMENTS`; `env` goes before the person's environment. */
export function fairlead(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  timeoutSeconds = 30,
): Promise<Ended> {
  requireSandbox();
  return runProgram([executable, ...argv], { env: { ...environment, ...env }, timeoutSeconds });
}

/** Runs it with `--json` and returns what it printed, parsed. @throws Error unless it succeeded */
export async function fairleadJson<T>(
  argv: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<T> {
  const { exitCode, stdout, stderr } = await fairlead([...argv, '--json'], env);
  if (exitCode === 0) return JSON.parse(stdout) as T;
  throw new Error(`fairlead ${argv.join(' ')}: exit code ${exitCode}\n${stderr}${stdout}`);
}

/** A network with two addresses a container and published ports. */
export const pods = {
  cniVersion: '1.1.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'pods0',
      isGateway: true,
      ipMasq: true,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: '10.88.0.0/24' }], [{ subnet: 'fd00:88::/64' }]],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

/** Writes networks into the default directory, each as its own file `10-NAME.conflist`, in place of all others. */
export function writeNetworks(...networks: readonly { readonly name: string }[]): void {
  requireSandbox();
  rmSync(netConfPath, { recursive: true, force: true });
  mkdirSync(netConfPath, { recursive: true });
  for (const network of networks) {
    writeFileSync(`${netConfPath}/10-${network.name}.conflist`, JSON.stringify(network, null, 2));
  }
}
