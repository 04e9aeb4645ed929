/**
 * `npm run demo`: two Pods on a bridge, by the command line and the plugins as they are shipped. Everything happens in
 * a network namespace of the demo's own, which is gone when it ends; no internet, and nothing of this machine is touched.
 */
import { root } from './process.ts';

const say = (text: string) => process.stderr.write(`fairlead: ${text}\n`);

/** Runs a step in this terminal. @returns its exit code */
function step(...argv: readonly string[]): number {
  const { exitCode } = Bun.spawnSync([...argv], { cwd: root, stdio: ['inherit', 'inherit', 'inherit'] });
  return exitCode;
}

if (process.getuid?.() !== 0) {
  say('the demo makes network namespaces: run it as root');
  process.exit(1);
}
say('building (once) ...');
const built = step(process.execPath, 'run', 'scripts/build.ts');
if (built !== 0) process.exit(built);
process.exit(step('scripts/sandbox.sh', process.execPath, 'run', 'scripts/demo/inside.ts'));
