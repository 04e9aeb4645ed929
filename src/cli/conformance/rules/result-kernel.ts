/** The result of ADD held against the kernel: SPEC.md section 5, "ADD Success". */
import { isAtLeast } from '../../../cni/version.ts';
import type { Attached, Bench } from '../bench.ts';
import { addressIn, linesOf, linkIn, look, routeIn, type State } from '../look.ts';
import { Broken, NotTried, type Rule, section } from '../rule.ts';

const success = section(5, 'ADD Success');
const kinds = ['interface', 'chained'] as const;

/** Rules about whether what ADD says is so. */
export const resultKernelRules: readonly Rule[] = [
  {
    id: 'result-interfaces',
    group: 'result',
    text: 'the interfaces in the result exist, in the sandbox or on the node as it says',
    section: success,
    level: 'must',
    kinds,
    run: (bench) =>
      compare(bench, ({ result, container }, inContainer) => {
        const onNode = look(undefined);
        for (const { name, sandbox } of result.interfaces ?? []) {
          const state = sandbox === container.netns ? inContainer : onNode;
          if (sandbox && sandbox !== container.netns)
            throw new Broken(`interface ${name} has the sandbox ${sandbox}`, `${container.netns} or none`);
          if (linkIn(state, name) !== undefined) continue;
          const where = sandbox ? 'in the container' : 'on the node';
          const there = state.links.map((link) => link.name).join(', ');
          throw new Broken(`the result has ${name} ${where}; there are ${there}`, `${name} among them`);
        }
      }),
  },
  {
    id: 'result-lists-interface',
    group: 'result',
    text: 'the interface CNI_IFNAME is in the result, with its namespace as `sandbox`',
    section: success,
    level: 'must',
    kinds: ['interface'],
    since: '0.3.0',
    run: (bench) =>
      compare(bench, ({ result, container, ifname }) => {
        const own = (result.interfaces ?? []).find(
          ({ name, sandbox }) => name === ifname && sandbox === container.netns,
        );
        if (own !== undefined) return;
        const seen = JSON.stringify(result.interfaces ?? []);
        throw new Broken(`interfaces: ${seen}`, `one with name ${ifname} and sandbox ${container.netns}`);
      }),
  },
  {
    id: 'result-mac',
    group: 'result',
    text: "hardware addresses in the result are the interfaces' own",
    section: success,
    level: 'must',
    kinds,
    run: (bench) =>
      compare(bench, ({ result }, inContainer) => {
        for (const { name, mac, sandbox } of result.interfaces ?? []) {
          const real = linkIn(sandbox ? inContainer : look(undefined), name)?.mac;
          if (!mac || real === undefined || real === mac.toLowerCase()) continue;
          throw new Broken(`the result says ${mac} for ${name}`, real);
        }
      }),
  },
  {
    id: 'result-addresses',
    group: 'result',
    text: 'the addresses in the result are on the interfaces that it says',
    section: success,
    level: 'must',
    kinds,
    run: (bench) =>
      compare(bench, ({ result }, inContainer) => {
        for (const { address, interface: index } of result.ips ?? []) {
          const each = index === undefined ? undefined : result.interfaces?.[index];
          // Addresses outside the container are allowed, and are not looked for.
          if (each !== undefined && !each.sandbox) continue;
          const link = each && linkIn(inContainer, each.name);
          if (each !== undefined && link === undefined) continue;
          if (addressIn(inContainer, address, link) !== undefined) continue;
          throw new Broken(
            `${address} is not on ${link?.name ?? 'any interface'}: ${lines(inContainer, 'address')}`,
            `${address} among them`,
          );
        }
      }),
  },
  {
    id: 'result-routes',
    group: 'result',
    text: 'the routes in the result are in the container',
    section: success,
    level: 'must',
    kinds,
    run: (bench) =>
      compare(bench, ({ result }, inContainer) => {
        for (const { dst, gw } of result.routes ?? []) {
          if (routeIn(inContainer, dst, gw || undefined) !== undefined) continue;
          const wanted = `${dst}${gw ? ` via ${gw}` : ''}`;
          throw new Broken(
            `there is no route ${wanted}: ${lines(inContainer, 'route') || 'no routes'}`,
            `a route ${wanted}`,
          );
        }
      }),
  },
];

/** ADD in the newest version, then a look into the container. */
async function compare(bench: Bench, judge: (attached: Attached, inContainer: State) => void): Promise<void> {
  if (!isAtLeast(bench.subject.version, '0.3.0'))
    throw new NotTried('results before 0.3.0 name no interfaces');
  const attached = await bench.attach();
  judge(attached, look(attached.container.netns));
}

function lines(state: State, kind: 'address' | 'route'): string {
  return linesOf(state)
    .filter((line) => line.startsWith(kind))
    .map((line) => line.slice(kind.length + 1))
    .join(', ');
}
