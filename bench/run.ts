/**
 * `npm run bench`: Fairlead beside the reference plugins that Debian packages, in one run, turn by turn, as whole
 * processes. Writes results.json, a table (README.md) and a picture (results.svg) to docs/benchmarks/; with `--quick`
 * few rounds, to see that it works, and with `--out DIR` elsewhere.
 *
 * Everything happens in a network and mount namespace of the bench's own; it starts itself again in them.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { requirePackages } from '../scripts/debian.ts';
import { root } from '../scripts/process.ts';
import { measureAlone } from './alone.ts';
import { atOnce, measureAtOnce } from './at-once.ts';
import { measureChain } from './chain.ts';
import { measureFloor } from './floor.ts';
import type { Contender } from './measure.ts';
import { peakMemory, peakOf } from './memory.ts';
import { longChain, longChainNames, plainBridge, publishingChain } from './networks.ts';
import { writeReport } from './report.ts';
import type { Results } from './rows.ts';
import { type Served, startServed } from './served.ts';
import { measureStart } from './start.ts';
import { measureStore } from './store.ts';

const fairlead: Contender = { name: 'fairlead', bin: `${root}/dist/cni` };
const reference: Contender = { name: 'reference', bin: '/usr/lib/cni' };

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, out: { type: 'string' } },
});

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

async function prepare(): Promise<number> {
  await requirePackages(['containernetworking-plugins', 'iptables', 'nftables'], 'the comparison', say);
  say('building');
  const build = Bun.spawnSync([process.execPath, 'run', `${root}/scripts/build.ts`], {
    stdout: 'inherit',
    stderr: 'inherit',
  });
  if (build.exitCode !== 0) return 1;
  const inside = [process.execPath, 'run', import.meta.path, ...process.argv.slice(2)];
  const child = Bun.spawnSync(['unshare', '--net', '--mount', '--propagation', 'private', ...inside], {
    env: { ...process.env, FAIRLEAD_BENCH_INSIDE: '1' },
    stdout: 'inherit',
    stderr: 'inherit',
  });
  return child.exitCode;
}

async function bench(): Promise<void> {
  const rounds = options.quick ? 5 : 40;
  const scratch = mkdtempSync('/tmp/fairlead-bench-');
  Bun.spawnSync(['ip', 'link', 'set', 'lo', 'up']);
  try {
    using served = await startServed(`${root}/dist`);
    const results = await measureAll(scratch, rounds, served);
    writeReport(options.out ?? `${root}/docs/benchmarks`, results);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function measureAll(scratch: string, rounds: number, served: Served): Promise<Results> {
  const contenders = [fairlead, served, reference];
  say('the floor');
  const floor = measureFloor(scratch, rounds);
  say(`bridge (ipMasq) + portmap, ${rounds} rounds`);
  const chain = measureChain(contenders, scratch, rounds, publishingChain);
  say(`the long chain, ${rounds} rounds`);
  const long = measureChain(contenders, scratch, rounds, longChain);
  say(`bridge alone, ${rounds} rounds`);
  const plain = measureChain(contenders, scratch, rounds, plainBridge);
  say(`${atOnce} ADDs at once`);
  const many = await measureAtOnce(contenders, scratch, options.quick ? 1 : 7);
  say(`each plugin alone, ${rounds} rounds`);
  const alone = measureAlone({ fairlead, served, reference }, scratch, rounds, floor);
  say('the start with few plugins and with all');
  const starts = measureStart(fairlead, scratch, rounds);
  say('host-local with 10 and 40,000 reservations');
  const growths = [
    ...measureStore(fairlead, scratch, rounds, 2),
    ...measureStore(reference, scratch, Math.min(rounds, 8)),
  ];

  const { emptyStart, kernelAdd, kernelDel, element } = floor;
  const chainFloor = {
    add: 2 * emptyStart + kernelAdd + 2 * element,
    del: 2 * emptyStart + kernelDel + 2 * element,
  };
  const plainFloor = { add: emptyStart + kernelAdd, del: emptyStart + kernelDel };
  const compare = (of: Map<string, { add: number; del: number }>, verb: 'add' | 'del') => ({
    unit: 'ms' as const,
    fairlead: of.get('fairlead')?.[verb] ?? Number.NaN,
    served: of.get('served')?.[verb] ?? Number.NaN,
    reference: of.get('reference')?.[verb] ?? Number.NaN,
  });
  return {
    about: aboutThisMachine(rounds),
    comparisons: [
      {
        what: '`bridge` (ipMasq) + `portmap`: ADD',
        ...compare(chain, 'add'),
        floor: chainFloor.add,
        goal: 0.35,
      },
      {
        what: '`bridge` (ipMasq) + `portmap`: DEL',
        ...compare(chain, 'del'),
        floor: chainFloor.del,
        goal: 0.35,
      },
      { what: `${longChainNames(fairlead)}: ADD`, ...compare(long, 'add'), goal: 0.6 },
      { what: `${longChainNames(fairlead)}: DEL`, ...compare(long, 'del'), goal: 0.35 },
      { what: '`bridge` alone: ADD', ...compare(plain, 'add'), floor: plainFloor.add, goal: 1 },
      { what: '`bridge` alone: DEL', ...compare(plain, 'del'), floor: plainFloor.del },
      { what: `${atOnce} × \`bridge\` (ipMasq) at once: ADD`, ...compare(many, 'add'), goal: 0.4 },
      { what: `${atOnce} × \`bridge\` (ipMasq) at once: DEL`, ...compare(many, 'del') },
    ],
    growths,
    alone,
    starts,
    floor: [
      { what: 'an empty program: start to exit', ms: emptyStart },
      { what: 'the kernel: veth pair, port of a bridge, up, address, route', ms: kernelAdd },
      { what: 'the kernel: deletion of the pair', ms: kernelDel },
      { what: 'the kernel: one nftables transaction of one element', ms: element },
    ],
    memory: {
      peak: await peakMemory(fairlead, longChain(fairlead, scratch, rounds), scratch),
      server: peakOf(served.pid),
      goal: 60,
    },
  };
}

function aboutThisMachine(rounds: number): Results['about'] {
  const packages = Bun.spawnSync(['dpkg-query', '--show', 'containernetworking-plugins', 'iptables']);
  return {
    date: new Date().toISOString().slice(0, 10),
    kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    cores: cpus().length,
    runtime: `Bun ${Bun.version}`,
    reference: packages.stdout.toString().trim().replaceAll('\t', ' ').replaceAll('\n', ', '),
    rounds,
  };
}

if (process.env['FAIRLEAD_BENCH_INSIDE'] === undefined) process.exit(await prepare());
await bench();
