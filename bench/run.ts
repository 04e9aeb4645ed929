/**
 * `npm run bench`: Fairlead beside the reference plugins that Debian packages, in one run, turn by turn, as whole
 * processes. Writes docs/benchmarks/results.json, a table (README.md) and a picture (results.svg).
 *
 * Everything happens in a network and mount namespace of the bench's own; it starts itself again in them.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createNetns, removeNetns } from '../src/kernel/netns/netns.ts';
import { floorOfKernel, floorOfRuntime } from './floor.ts';
import { addChain, type Contender, delChain, median, run, runAtOnce } from './measure.ts';
import { writeReport } from './report.ts';

const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
const say = (text: string) => process.stderr.write(`bench: ${text}\n`);

/** One line of the table: medians in milliseconds (or MiB), and the ratio that may not be exceeded. */
export interface Row {
  readonly what: string;
  readonly unit: 'ms' | 'MiB';
  readonly fairlead: number;
  readonly reference?: number;
  /** fairlead / reference, or what the row says. */
  readonly ratio?: number;
  readonly goal?: string;
}

if (process.env['FAIRLEAD_BENCH_INSIDE'] === undefined) await startInside();
else await bench();

async function startInside(): Promise<void> {
  say('installing what is compared (Debian packages) and building');
  for (const step of [
    [
      'bash',
      '-c',
      'command -v iptables nft >/dev/null && test -x /usr/lib/cni/bridge || (apt-get update -q && apt-get install -yq --no-install-recommends containernetworking-plugins iptables nftables) >&2',
    ],
    [process.execPath, 'run', `${root}/scripts/build.ts`],
  ]) {
    if (Bun.spawnSync(step, { stdout: 'inherit', stderr: 'inherit' }).exitCode !== 0) process.exit(1);
  }
  const child = Bun.spawnSync(
    ['unshare', '--net', '--mount', process.execPath, 'run', import.meta.path, ...process.argv.slice(2)],
    { env: { ...process.env, FAIRLEAD_BENCH_INSIDE: '1' }, stdout: 'inherit', stderr: 'inherit' },
  );
  process.exit(child.exitCode);
}

async function bench(): Promise<void> {
  const quick = process.argv.includes('--quick');
  const rounds = quick ? 5 : 40;
  const scratch = mkdtempSync('/tmp/fairlead-bench-');
  Bun.spawnSync(['ip', 'link', 'set', 'lo', 'up']);
  const fairlead: Contender = { name: 'fairlead', bin: `${root}/dist/cni` };
  const reference: Contender = { name: 'reference', bin: '/usr/lib/cni' };
  const contenders = [fairlead, reference];
  const rows: Row[] = [];
  try {
    say(`chain bridge (ipMasq) + portmap, ${rounds} rounds`);
    rows.push(
      ...measureChain(
        'chain `bridge` (ipMasq) + `portmap`',
        contenders,
        scratch,
        rounds,
        true,
        '≤ 0.35',
        '≤ 0.35',
      ),
    );
    say(`bridge alone, ${rounds} rounds`);
    rows.push(...measureChain('`bridge`, no masquerade', contenders, scratch, rounds, false, '≤ 1.0'));
    for (const contender of contenders) {
      say(`host-local with 10 and 40,000 reservations: ${contender.name}`);
      rows.push(
        ...measureStore(contender, scratch, contender.name === 'fairlead' ? rounds : Math.min(rounds, 8)),
      );
    }
    say('50 ADDs at once');
    rows.push(await measureAtOnce(contenders, scratch, quick ? 1 : 5));
    say('the floor');
    rows.push(...floorOfRuntime(scratch, rounds), ...floorOfKernel(scratch, rounds));
    writeReport(`${root}/docs/benchmarks`, rows);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function bridgeConfig(contender: Contender, scratch: string, masquerade: boolean): Record<string, unknown> {
  const subnet = contender.name === 'fairlead' ? '10.88.0.0/16' : '10.89.0.0/16';
  return {
    cniVersion: '1.0.0',
    name: `bench-${contender.name}-${masquerade}`,
    type: 'bridge',
    bridge: `${contender.name.slice(0, 4)}${masquerade ? 1 : 0}`,
    isGateway: true,
    ipMasq: masquerade,
    ipam: {
      type: 'host-local',
      dataDir: `${scratch}/${contender.name}`,
      ranges: [[{ subnet }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  };
}

function chainOf(contender: Contender, scratch: string, round: number): Record<string, unknown>[] {
  const bridge = bridgeConfig(contender, scratch, true);
  const { cniVersion, name } = bridge;
  const portMappings = [{ hostPort: 20000 + round, containerPort: 80, protocol: 'tcp' }];
  return [
    bridge,
    {
      cniVersion,
      name,
      type: 'portmap',
      capabilities: { portMappings: true },
      runtimeConfig: { portMappings },
    },
  ];
}

/** Both contenders in turn, in namespaces that are new each time: what one leaves does not slow the other alone. */
function measureChain(
  what: string,
  contenders: readonly Contender[],
  scratch: string,
  rounds: number,
  chain: boolean,
  addGoal?: string,
  delGoal?: string,
): Row[] {
  const times = new Map(
    contenders.map(({ name }) => [name, { add: [] as number[], del: [] as number[], peak: [] as number[] }]),
  );
  for (let round = -2; round < rounds; round++) {
    for (const contender of contenders) {
      const netns = `${scratch}/ns`;
      createNetns(netns);
      try {
        const plugins = chain
          ? chainOf(contender, scratch, round + 2)
          : [bridgeConfig(contender, scratch, false)];
        const call = { containerId: `bench-${round + 2}`, netns };
        const added = addChain(contender, plugins, call);
        const del = delChain(contender, plugins, call, added.result);
        if (round < 0) continue; // two rounds to warm the caches, and to make the bridges
        const own = times.get(contender.name);
        own?.add.push(added.ms);
        own?.del.push(del);
        own?.peak.push(added.peakMiB);
      } finally {
        removeNetns(netns);
      }
    }
  }
  const of = (name: Contender['name'], which: 'add' | 'del' | 'peak') =>
    median(times.get(name)?.[which] ?? []);
  const row = (label: string, which: 'add' | 'del' | 'peak', unit: Row['unit'], goal?: string): Row => ({
    what: `${what}: ${label}`,
    unit,
    fairlead: of('fairlead', which),
    reference: of('reference', which),
    ratio: of('fairlead', which) / of('reference', which),
    ...(goal === undefined ? {} : { goal }),
  });
  return [
    row('ADD', 'add', 'ms', addGoal),
    row('DEL', 'del', 'ms', delGoal),
    ...(chain ? [row('peak memory of a process', 'peak', 'MiB', 'fairlead ≤ 60 MiB')] : []),
  ];
}

/** host-local alone with stores of two sizes; the ratio is the large one's time to the small one's. */
function measureStore(contender: Contender, scratch: string, rounds: number): Row[] {
  const timesOf = (size: number) => {
    const dataDir = `${scratch}/store-${contender.name}-${size}`;
    const name = `net${size}`;
    const ipam = { type: 'host-local', dataDir, ranges: [[{ subnet: '10.0.0.0/14' }]] };
    const config = { cniVersion: '1.0.0', name, type: 'bench', ipam };
    fillStore(`${dataDir}/${name}`, size);
    const [add, del]: number[][] = [[], []];
    for (let round = -1; round < rounds; round++) {
      const call = {
        plugin: 'host-local',
        containerId: `bench-${round + 1}`,
        netns: '/proc/self/ns/net',
        config,
      };
      const [added, deleted] = [
        run(contender, { ...call, command: 'ADD' }).ms,
        run(contender, { ...call, command: 'DEL' }).ms,
      ];
      if (round < 0) continue; // the first one after another program filled the store builds the index
      add?.push(added);
      del?.push(deleted);
    }
    return { add: median(add ?? []), del: median(del ?? []) };
  };
  const [small, large] = [timesOf(10), timesOf(40_000)];
  const row = (verb: 'add' | 'del'): Row => ({
    what: `\`host-local\` of ${contender.name}, ${verb.toUpperCase()}: 40,000 reservations, and their ratio to 10`,
    unit: 'ms',
    fairlead: large[verb],
    ...(contender.name === 'reference' ? { reference: large[verb] } : {}),
    ratio: large[verb] / small[verb],
    ...(contender.name === 'fairlead' ? { goal: '≤ 2' } : {}),
  });
  return [row('add'), row('del')];
}

/** Reservations in the reference's format, as a node has them that gave them out one after the other. */
function fillStore(directory: string, size: number): void {
  mkdirSync(directory, { recursive: true });
  const address = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  for (let index = 2; index < size + 2; index++) {
    writeFileSync(`${directory}/${address(index)}`, `container-${index}\r\neth0`);
  }
  writeFileSync(`${directory}/last_reserved_ip.0`, address(size + 1));
}

async function measureAtOnce(
  contenders: readonly Contender[],
  scratch: string,
  rounds: number,
): Promise<Row> {
  const times = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  const count = 50;
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      const namespaces = Array.from({ length: count }, (_, index) => `${scratch}/once-${index}`);
      for (const path of namespaces) createNetns(path);
      const config = bridgeConfig(contender, scratch, true);
      const calls = namespaces.map((netns, index) => ({
        plugin: 'bridge',
        command: 'ADD' as const,
        containerId: `once-${round}-${index}`,
        netns,
        config,
      }));
      times.get(contender.name)?.push(await runAtOnce(contender, calls));
      await runAtOnce(
        contender,
        calls.map((call) => ({ ...call, command: 'DEL' as const })),
      );
      for (const path of namespaces) removeNetns(path);
    }
  }
  const [ours, theirs] = contenders.map(({ name }) => median(times.get(name) ?? []));
  return {
    what: `${count} × \`bridge\` (ipMasq) ADD at once, wall time`,
    unit: 'ms',
    fairlead: ours ?? Number.NaN,
    reference: theirs ?? Number.NaN,
    ratio: (ours ?? Number.NaN) / (theirs ?? Number.NaN),
    goal: '≤ 0.4',
  };
}
