/** The wrong plugins: what each does otherwise than plugin.ts. Its name says what; the rule that finds it is beside it. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { NETLINK_ROUTE, openConnection, rtnetlink } from '../../../src/kernel/index.ts';
import {
  type Behaviour,
  Failure,
  inside,
  type Json,
  missing,
  ownerOf,
  reservations,
  right,
  store,
} from './plugin.ts';

/** A wrong plugin. */
export interface Fault {
  /** The one rule that has to find it. */
  readonly rule: string;
  /** Tried as a chained plugin. */
  readonly chained?: true;
  readonly behaviour: Partial<Behaviour>;
}

const wrongIp = '10.96.9.9/24';
const deletedOnce = (id: string) => `${store}/deleted-${id}`;
const fail = (code: number, message: string) => {
  throw new Failure(code, message);
};

/** CHECK that knows of a claim that is not so, so that only the claim is wrong. */
const checkWithout = (claim: string): Partial<Behaviour> => ({
  check: (request) => {
    const others = missing(request).filter((each) => each !== claim);
    if (others.length > 0) fail(103, `${others[0]} is missing`);
  },
});

const list = (json: Json, key: string) => json[key] as Json[];

export const faults: Readonly<Record<string, Fault>> = {
  'says-always-1.1.0': {
    rule: 'version-echo',
    behaviour: { version: () => ({ cniVersion: '1.1.0', supportedVersions: right.versions }) },
  },
  'version-needs-input': {
    rule: 'version-no-input',
    behaviour: { version: (stdin) => (stdin === '' ? fail(6, 'no input') : right.version(stdin)) },
  },
  'lists-a-version-that-is-none': {
    rule: 'version-known',
    behaviour: {
      version: (stdin) => ({ ...right.version(stdin), supportedVersions: [...right.versions, '1.7.0'] }),
    },
  },
  'result-always-1.1.0': {
    rule: 'result-version',
    behaviour: { result: (result) => ({ ...result, cniVersion: '1.1.0' }) },
  },
  'ips-without-version': {
    rule: 'result-shape',
    behaviour: {
      result: (result) => ({ ...result, ips: list(result, 'ips').map(({ version: _, ...ip }) => ip) }),
    },
  },
  'claims-an-address': {
    rule: 'result-addresses',
    behaviour: {
      ...checkWithout(wrongIp),
      result: (result) => {
        const [own] = list(result, 'ips');
        return { ...result, ips: [own, { ...own, address: wrongIp }] };
      },
    },
  },
  'claims-a-route': {
    rule: 'result-routes',
    behaviour: {
      ...checkWithout('203.0.113.0/24'),
      result: (result) => ({ ...result, routes: [...list(result, 'routes'), { dst: '203.0.113.0/24' }] }),
    },
  },
  'claims-a-link-on-the-node': {
    rule: 'result-interfaces',
    behaviour: {
      result: (result) => ({ ...result, interfaces: [...list(result, 'interfaces'), { name: 'veth-none' }] }),
    },
  },
  'makes-a-mac-up': {
    rule: 'result-mac',
    behaviour: {
      result: (result) => ({
        ...result,
        interfaces: list(result, 'interfaces').map((each) => ({ ...each, mac: '02:00:00:00:00:01' })),
      }),
    },
  },
  'fails-with-exit-code-0': { rule: 'error-exit-code', behaviour: { exitCode: () => 0 } },
  'errors-without-message': {
    rule: 'error-object',
    behaviour: {
      error: ({ code, message }, cniVersion) => ({ cniVersion, code, msg: '', details: message }),
    },
  },
  'errors-without-version': {
    rule: 'error-version',
    behaviour: { error: ({ code, message }) => ({ code, msg: message }) },
  },
  'errors-of-its-own-below-100': {
    rule: 'error-code',
    behaviour: {
      checkConfig: (config, command) => {
        right.checkConfig(config, command);
        if (command === 'ADD' && !existsSync(process.env.CNI_NETNS ?? ''))
          fail(42, 'the namespace is not there');
      },
    },
  },
  'does-not-ask-who': {
    rule: 'env-containerid',
    behaviour: {
      requires: (command) => right.requires(command).filter((name) => name !== 'CNI_CONTAINERID'),
    },
  },
  'does-not-say-what-is-missing': {
    rule: 'env-names',
    behaviour: {
      checkEnvironment: (command) => {
        if (right.requires(command).some((name) => !process.env[name])) fail(4, 'a variable is missing');
        right.checkEnvironment(command);
      },
    },
  },
  'takes-any-command': {
    rule: 'env-command-unknown',
    behaviour: {
      checkEnvironment: (command) => {
        if (command !== 'FROBNICATE') right.checkEnvironment(command);
      },
    },
  },
  'calls-garbage-invalid': {
    rule: 'config-garbage',
    behaviour: {
      parse: (stdin) => {
        try {
          return right.parse(stdin);
        } catch {
          return fail(7, 'the configuration is invalid');
        }
      },
    },
  },
  'speaks-every-version': {
    rule: 'config-version',
    behaviour: {
      checkConfig: (config, command) => {
        const known = config.cniVersion === '99.0.0' ? { ...config, cniVersion: '1.1.0' } : config;
        right.checkConfig(known, command);
      },
    },
  },
  'refuses-unknown-keys': {
    rule: 'config-unknown-key',
    behaviour: {
      checkConfig: (config, command) => {
        right.checkConfig(config, command);
        if ('conformanceKey' in config) fail(2, 'there is an unknown key');
      },
    },
  },
  'adds-twice': {
    rule: 'add-twice',
    behaviour: {
      async add(request) {
        const own = reservations().find(({ owner }) => owner === ownerOf(request));
        if (own !== undefined) return { cniVersion: request.version, interfaces: [], ips: [], routes: [] };
        return right.add.call(this, request);
      },
    },
  },
  'takes-a-name-away': {
    rule: 'add-existing',
    behaviour: {
      async add(request) {
        const own = reservations().some(({ owner }) => owner === ownerOf(request));
        if (!own) {
          try {
            inside(request.netns, (connection) => rtnetlink.deleteLink(connection, request.ifname));
          } catch {
            // There was none.
          }
        }
        return right.add.call(this, request);
      },
    },
  },
  'allocates-without-lock': {
    rule: 'add-concurrent',
    behaviour: {
      allocate: async (request) => {
        const taken = reservations().map(({ address }) => address);
        const free = [2, 3, 4, 5, 6].map((host) => `10.96.0.${host}`).find((each) => !taken.includes(each));
        if (free === undefined) return fail(100, 'no address is left');
        await Bun.sleep(100);
        writeFileSync(`${store}/${free}`, ownerOf(request));
        return free;
      },
    },
  },
  'deletes-once': {
    rule: 'del-twice',
    behaviour: {
      del(request) {
        if (existsSync(deletedOnce(request.id))) fail(104, 'it is deleted already');
        mkdirSync(store, { recursive: true });
        writeFileSync(deletedOnce(request.id), '');
        return right.del.call(this, request);
      },
      add(request) {
        rmSync(deletedOnce(request.id), { force: true });
        return right.add.call(this, request);
      },
    },
  },
  'deletes-what-it-knows': {
    rule: 'del-never-added',
    behaviour: {
      del(request) {
        const known = existsSync(`${store}/known-${request.id}`);
        if (!known) fail(3, 'the container is unknown');
        return right.del.call(this, request);
      },
      add(request) {
        mkdirSync(store, { recursive: true });
        writeFileSync(`${store}/known-${request.id}`, '');
        return right.add.call(this, request);
      },
    },
  },
  'deletes-with-namespace-only': {
    rule: 'del-netns-gone',
    behaviour: {
      del(request) {
        if (request.netns !== '' && !existsSync(request.netns)) fail(8, 'the namespace is gone');
        return right.del.call(this, request);
      },
    },
  },
  'deletes-with-netns-only': {
    rule: 'del-netns-empty',
    behaviour: {
      del(request) {
        if (request.netns === '') fail(4, 'CNI_NETNS is missing');
        return right.del.call(this, request);
      },
    },
  },
  'deletes-with-result-only': {
    rule: 'del-no-prevresult',
    behaviour: {
      del(request) {
        if (request.config.prevResult === undefined) fail(7, 'prevResult is missing');
        return right.del.call(this, request);
      },
    },
  },
  'leaves-a-link-behind': {
    rule: 'del-leaves-nothing',
    behaviour: {
      beforeAdd: (_, connection) => {
        if (rtnetlink.getLink(connection, 'left0') === undefined)
          rtnetlink.createLink(connection, { kind: 'bridge', name: 'left0' });
      },
    },
  },
  'leaves-links-on-the-node': {
    rule: 'del-cleans-node',
    behaviour: {
      beforeAdd: ({ id }) => {
        const connection = openConnection(NETLINK_ROUTE);
        const name = `left-${id.slice(-8)}`.replaceAll(/[^\w-]/g, '');
        if (rtnetlink.getLink(connection, name) === undefined)
          rtnetlink.createLink(connection, { kind: 'bridge', name });
        connection.close();
      },
    },
  },
  'keeps-addresses-of-the-dead': {
    rule: 'del-frees-addresses',
    behaviour: {
      release: (request) => {
        if (existsSync(request.netns)) right.release(request);
      },
    },
  },
  'checks-no-address': {
    rule: 'check-address',
    behaviour: {
      check: (request) => {
        const others = missing(request).filter((each) => !each.startsWith('10.96.0.'));
        if (others.length > 0) fail(103, `${others[0]} is missing`);
      },
    },
  },
  'checks-no-route': {
    rule: 'check-route',
    behaviour: {
      // Without its address the link has lost its route too: the address is still looked at.
      check: (request) => {
        const others = missing(request).filter((each) => each !== '198.51.100.0/24');
        if (others.length > 0) fail(103, `${others[0]} is missing`);
      },
    },
  },
  'is-never-satisfied': {
    rule: 'check-passes',
    behaviour: { check: () => fail(103, 'something is missing') },
  },
  'collects-everything': {
    rule: 'gc-keeps-valid',
    behaviour: {
      gc: () => {
        for (const { address } of reservations()) rmSync(`${store}/${address}`);
      },
    },
  },
  'collects-nothing': { rule: 'gc-removes-stale', behaviour: { gc: () => {} } },
  'is-always-ready': { rule: 'status-exhausted', behaviour: { status: () => {} } },
  'logs-to-stdout': {
    rule: 'stdout-json',
    behaviour: {
      print: (json, command) => {
        if (command === 'ADD') process.stdout.write('adding an interface\n');
        right.print(json, command);
      },
    },
  },
  'never-ends-on-del': { rule: 'ends', behaviour: { del: () => Bun.sleep(3_600_000) } },
  'reads-beside-itself': {
    rule: 'working-directory',
    behaviour: {
      parse: (stdin) => (existsSync('etc/passwd') ? right.parse(stdin) : fail(5, 'cannot read etc/passwd')),
    },
  },
  'drops-dns': {
    rule: 'prevresult-dns',
    chained: true,
    behaviour: { result: ({ dns: _, ...result }) => result },
  },
  'drops-addresses': {
    rule: 'prevresult-addresses',
    chained: true,
    behaviour: { result: (result) => ({ ...result, ips: [] }) },
  },
};
