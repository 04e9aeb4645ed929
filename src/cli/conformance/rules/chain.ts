/** `prevResult`: SPEC.md section 2, "ADD", and section 5, "ADD Success". */
import type { Result } from '../../../cni/result.ts';
import type { Attached } from '../bench.ts';
import { Broken, type Rule, section } from '../rule.ts';

const success = section(5, 'ADD Success');

/** A rule that a part of the previous result is in the result, told by what `keysOf` makes of it. */
function passesOn(id: string, what: string, keysOf: (result: Result) => readonly string[]): Rule {
  return {
    id,
    group: 'prevResult',
    text: `${what} of prevResult are in the result of a chained plugin`,
    section: success,
    level: 'must',
    kinds: ['chained'],
    since: '0.3.0',
    run: async (bench) => {
      const attached = await bench.attach();
      const missing = keysOf(previousOf(attached)).find((key) => !keysOf(attached.result).includes(key));
      if (missing === undefined) return;
      const seen = keysOf(attached.result).join(', ') || 'none';
      throw new Broken(`${what} in the result: ${seen}`, `${missing} among them, as in prevResult`);
    },
  };
}

/** Rules about results that are passed on. */
export const chainRules: readonly Rule[] = [
  passesOn('prevresult-interfaces', 'the interfaces', ({ interfaces = [] }) =>
    interfaces.map(({ name, sandbox = 'the node' }) => `${name} in ${sandbox}`),
  ),
  passesOn('prevresult-addresses', 'the addresses', ({ ips = [] }) =>
    ips.map(({ address, gateway = 'none' }) => `${address} (gateway ${gateway})`),
  ),
  passesOn('prevresult-routes', 'the routes', ({ routes = [] }) =>
    routes.map(({ dst, gw = 'the gateway' }) => `${dst} by ${gw}`),
  ),
  passesOn('prevresult-dns', 'the DNS settings', ({ dns = {} }) =>
    Object.entries(dns).map(([key, value]) => `${key} ${JSON.stringify(value)}`),
  ),
];

function previousOf({ container }: Attached): Result {
  return container.previous ?? {};
}
