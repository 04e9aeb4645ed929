/** The entry of the wrong plugins: the name that it is called by says which. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { faults } from './faults.ts';
import { type Behaviour, Failure, type Json, right } from './plugin.ts';

const name = basename(process.argv0);
const plugin: Behaviour = { ...right, ...faults[name]?.behaviour };
const env = process.env;

async function answer(command: string, config: Json): Promise<Json | undefined> {
  const request = {
    command,
    config,
    id: env.CNI_CONTAINERID || 'nobody',
    ifname: env.CNI_IFNAME ?? '',
    netns: env.CNI_NETNS ?? '',
    version: String(config.cniVersion),
  };
  if (command === 'ADD') return plugin.result(await plugin.add(request), request);
  if (command === 'DEL') await plugin.del(request);
  if (command === 'CHECK') plugin.check(request);
  if (command === 'GC') plugin.gc(request);
  if (command === 'STATUS') plugin.status(request);
  return undefined;
}

async function run(): Promise<number> {
  const command = env.CNI_COMMAND ?? '';
  let version = '1.1.0';
  try {
    const stdin = readFileSync(0, 'utf8');
    if (command === 'VERSION') {
      plugin.print(plugin.version(stdin), command);
      return 0;
    }
    plugin.checkEnvironment(command);
    const config = plugin.parse(stdin);
    if (right.versions.includes(String(config?.cniVersion))) version = String(config.cniVersion);
    plugin.checkConfig(config, command);
    const json = await answer(command, config);
    if (json !== undefined) plugin.print(json, command);
    return 0;
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure(101, String(error));
    plugin.print(plugin.error(failure, version), 'error');
    return plugin.exitCode();
  }
}

void run().then((exitCode) => process.exit(exitCode));
