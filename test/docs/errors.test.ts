/** The tables of errors in docs/plugins: every error that the code has is told, and none that it has not. */
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { root } from '../../scripts/process.ts';
import { errorCodes } from '../../src/cni/error.ts';
import { pluginNames } from '../../src/plugins/names.ts';
import { type Literal, literalsOf } from './literals.ts';
import { pageText, tableRows } from './page.ts';

/** Whose first text that is a sentence is an error's message. */
const errorMakers = new Set(['CniError', 'report', 'invalid', 'refusal', 'BadRangeError', 'ConditionFault']);

/** Where a page's errors come from, as patterns of files. */
interface Sources {
  /** All errors in these are told. */
  readonly own: readonly string[];
  /** Some of those in these are. */
  readonly others: readonly string[];
}

const elements = 'src/plugins/shared/nftables/ownership.ts';
const chained = 'src/plugins/shared/chained.ts';
const link = (...names: readonly string[]) => names.map((name) => `src/plugins/shared/link/${name}.ts`);
const ofLinks = {
  others: ['src/plugin/*.ts', 'src/plugins/shared/link/*.ts', 'src/kernel/rtnetlink/settle.ts'],
};
const onMaster = { own: link('master', 'make-interface'), ...ofLinks };
const tables = ['src/plugins/shared/{free-table,namespace-lock}.ts'];

/** Besides a plugin's own folder. */
const sources: Readonly<Record<string, Partial<Sources>>> = {
  README: {
    own: ['src/cni/{config,environment}.ts', 'src/plugin/namespaces.ts'],
    others: ['src/cni/*.ts', 'src/cni/schema/*.ts', 'src/kernel/{netns,netlink}/*.ts'],
  },
  bandwidth: { own: [chained], others: ['src/plugin/*.ts', 'src/kernel/rtnetlink/*.ts'] },
  bridge: {
    own: ['src/plugin/{container-interface,links}.ts', elements],
    others: ['src/plugin/*.ts', 'src/kernel/rtnetlink/settle.ts'],
  },
  dhcp: {
    own: ['src/plugins/ipam/dhcp/rpc/client.ts'],
    others: ['src/plugins/ipam/dhcp/{daemon/*,client,rpc/*}.ts'],
  },
  dummy: { own: link('make-interface', 'addresses'), ...ofLinks },
  firewall: {
    own: [elements],
    others: [chained, 'src/kernel/nftables/generation.ts', 'src/kernel/iptables/*.ts'],
  },
  'host-device': ofLinks,
  ipvlan: { ...onMaster, own: [...onMaster.own, ...link('addresses')] },
  macvlan: onMaster,
  ptp: { own: [...link('addresses'), 'src/plugin/values.ts', elements], ...ofLinks },
  vlan: { own: link('make-interface', 'addresses'), ...ofLinks },
  portmap: { own: [elements], others: ['src/kernel/nftables/generation.ts'] },
  sbr: {
    own: [chained, ...tables],
    others: ['src/plugin/*.ts', 'src/kernel/rtnetlink/*.ts'],
  },
  vrf: { own: [chained, ...tables], others: ['src/plugin/*.ts'] },
  tap: { others: [...ofLinks.others, 'src/kernel/tap/*.ts'] },
  tuning: { own: [chained], others: ['src/plugin/*.ts', 'src/kernel/sysctl/*.ts'] },
};

function literalsIn(patterns: readonly string[]): readonly Literal[] {
  const files = patterns.flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(root)]);
  return files
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => literalsOf(readFileSync(`${root}/${file}`, 'utf8')));
}

const isSentence = ({ parts }: Literal) => parts.some((part) => /[a-z]+ |[ ][a-z]+/i.test(part));

/** A message of the code, and its code where that stands beside it. */
interface Message {
  readonly literal: Literal;
  readonly code: number | undefined;
}

/** The messages of errors: of each call the first sentence. What follows it is advice. */
function messagesIn(patterns: readonly string[]): readonly Message[] {
  return callsIn(patterns).flatMap((texts): readonly Message[] => {
    const literal = texts.find(isSentence);
    const [name = ''] = texts[0]?.parts ?? [];
    return literal === undefined ? [] : [{ literal, code: codes.get(name) }];
  });
}

const codes: ReadonlyMap<string, number> = new Map(Object.entries(errorCodes));

/** The texts of each call that makes an error. */
function callsIn(patterns: readonly string[]): readonly Literal[][] {
  const calls: Literal[][] = [];
  for (const literal of literalsIn(patterns).filter(({ callee }) => errorMakers.has(callee))) {
    const last = calls.at(-1);
    if (last?.[0]?.call === literal.call) last.push(literal);
    else calls.push([literal]);
  }
  return calls;
}

const plain = (text: string) => text.replaceAll('`', '').replaceAll(/\s+/g, ' ');

/** Whether a message on a page is one that this text makes: its fixed parts stand in it, in their order. */
function tells(message: string, { parts }: Literal): boolean {
  let at = 0;
  return parts.map(plain).every((part) => {
    const found = message.indexOf(part, at);
    at = found + part.length;
    return found >= 0;
  });
}

function errorsOn(page: string) {
  return tableRows(pageText(`docs/plugins/${page}.md`), 'code').map((row) => ({
    code: Number(row.code),
    message: plain(row.message ?? ''),
    advice: row['what to do'] ?? '',
  }));
}

const pages = ['README', ...pluginNames];

describe('errors on the page of', () => {
  test.each(pages)('%s', (page) => {
    const { own: more = [], others = [] } = sources[page] ?? {};
    const own = [`src/plugins/{main,ipam,meta}/${page}/*.ts`, ...more];
    const told = errorsOn(page);
    const toldAnywhere = [...told, ...errorsOn('README')];
    const untold = messagesIn(own)
      .filter(
        ({ literal, code }) =>
          !toldAnywhere.some(
            (one) => tells(one.message, literal) && (code === undefined || code === one.code),
          ),
      )
      .map(({ literal, code }) => `${code}: ${literal.parts.join('…')}`);
    expect(untold).toEqual([]);
    const possible = literalsIn([...own, ...others]).filter(isSentence);
    // A message in dots is a description of many.
    const invented = told
      .map(({ message }) => message)
      .filter((message) => !message.startsWith('…') && !possible.some((one) => tells(message, one)));
    expect(invented).toEqual([]);
    for (const { code, advice } of told) {
      expect(code >= 100 || Object.values(errorCodes).some((known) => known === code)).toBe(true);
      expect(advice).not.toBe('');
    }
  });
});

test('texts in code', () => {
  const code = `f(\`a \${b({ c: \`}\` })} d\`, 'e \\' f'); // 'not this'\n/['"]/.test(g("h"))`;
  expect(literalsOf(code).map(({ parts, callee }) => [callee, ...parts])).toEqual([
    ['f', 'a ', ' d'],
    ['f', "e ' f"],
    ['g', 'h'],
  ]);
});
