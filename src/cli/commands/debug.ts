import { accessSync, constants, statSync } from 'node:fs';
import { CniError, type Environment } from '../../cni/index.ts';
import { openNetns } from '../../kernel/netns/netns.ts';
import { execIn } from '../../kernel/sys/exec.ts';
import type { Call, Command } from '../command.ts';
import { findSubject } from '../inspect/subject.ts';
import * as option from '../option.ts';
import { directoryOf } from '../settings.ts';

/** `fairlead debug`. */
export const debug: Command = {
  name: 'debug',
  summary: "runs a shell or a command in a container's network namespace",
  about: `Runs a command, or a shell, where a container has its network. Everything else is the node's: its
files, its programs, its users. The command gets what follows, options too; its exit code is this
command's.`,
  parameters: [
    {
      name: 'CONTAINER|NETNS',
      about: "a container id or its beginning, a Pod's [NAMESPACE/]NAME, or a network namespace",
    },
    { name: 'COMMAND', about: 'and its arguments; without one $SHELL, else /bin/sh', presence: 'rest' },
  ],
  options: [option.cacheDir],
  passesOn: true,
  examples: [
    'fairlead debug blue',
    'fairlead debug default/web ip -6 route',
    'fairlead debug 7c01f2 tcpdump -ni eth0',
  ],
  whenFailed: 'failed with a CNI error, or as the command says',
  run,
};

function run(call: Call): never {
  const [text = '', ...argv] = call.parameters;
  const { netns: path } = findSubject(text, directoryOf(call, option.cacheDir));
  if (path === '')
    throw new CniError('invalidNetns', `the result cache does not say which network namespace ${text} has`);
  const { env } = call.io;
  const [name = env.SHELL || '/bin/sh', ...rest] = argv;
  const program = { path: findProgram(name, env), argv: [name, ...rest], env };
  // Its own descriptor is closed by execve.
  return execIn(openNetns(path), program);
}

/** As a shell finds it: a name on PATH, a path as it is. Throws a `CniError`. */
function findProgram(name: string, { PATH = '/usr/sbin:/usr/bin:/sbin:/bin' }: Environment): string {
  if (name.includes('/')) return name;
  const directories = PATH.split(':').filter((directory) => directory.startsWith('/'));
  const found = directories.map((directory) => `${directory}/${name}`).find(isProgram);
  if (found !== undefined) return found;
  throw new CniError(
    'invalidEnvironment',
    `there is no command "${name}"`,
    `not in ${directories.join(', ')}`,
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
