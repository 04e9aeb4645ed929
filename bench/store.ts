/** host-local with stores of two sizes: what grows with the reservations. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { type Contender, median, run } from './measure.ts';
import type { Growth } from './rows.ts';

const small = 10;
const large = 40_000;

/** One contender's ADD and DEL with 10 and with 40,000 reservations, a process each. */
export function measureStore(contender: Contender, scratch: string, rounds: number, goal?: number): Growth[] {
  const [few, many] = [
    timesWith(contender, scratch, small, rounds),
    timesWith(contender, scratch, large, rounds),
  ];
  return (['add', 'del'] as const).map((verb) => ({
    what: `\`host-local\` ${verb.toUpperCase()}`,
    contender: contender.name,
    small: few[verb],
    large: many[verb],
    ...(goal !== undefined && { goal }),
  }));
}

function timesWith(contender: Contender, scratch: string, size: number, rounds: number) {
  const dataDir = `${scratch}/store-${contender.name}-${size}`;
  const name = `net${size}`;
  const ipam = { type: 'host-local', dataDir, ranges: [[{ subnet: '10.0.0.0/14' }]] };
  const config = { cniVersion: '1.0.0', name, type: 'bench', ipam };
  fillStore(`${dataDir}/${name}`, size);
  const [add, del]: [number[], number[]] = [[], []];
  for (let round = -1; round < rounds; round++) {
    const containerId = `bench-${round + 1}`;
    const call = { plugin: 'host-local', containerId, netns: '/proc/self/ns/net', config };
    const added = run(contender, { ...call, command: 'ADD' }).ms;
    const deleted = run(contender, { ...call, command: 'DEL' }).ms;
    if (round < 0) continue; // the first one after another program filled the store builds the index
    add.push(added);
    del.push(deleted);
  }
  return { add: median(add), del: median(del) };
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
