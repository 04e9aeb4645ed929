import { describe, expect, test } from 'bun:test';
import { checkImports } from './imports.ts';

const messages = (file: string, text: string) =>
  checkImports(file, text).map(({ line, message }) => `${line}: ${message}`);

describe('what breaks the walls', () => {
  test.each([
    ['src/lib/ip.ts', "import { x } from '../cni/index.ts';", 'src/lib may not import src/cni, only itself'],
    ['src/cni/a.ts', "import { x } from '../kernel/a.ts';", 'src/cni may not import src/kernel'],
    ['src/kernel/a.ts', "import { x } from '../cni/a.ts';", 'src/kernel may not import src/cni'],
    ['src/kernel/a.ts', "import { x } from '../plugins/a.ts';", 'src/kernel may not import src/plugins'],
    ['src/plugins/a.ts', "import { x } from '../cli/a.ts';", 'src/plugins may not import src/cli'],
    ['src/plugins/a.ts', "import { x } from '../cluster/a.ts';", 'src/plugins may not import src/cluster'],
    ['src/cni/a.ts', "import { x } from '../plugin/a.ts';", 'src/cni may not import src/plugin'],
    ['src/kernel/a.ts', "import { x } from '../plugin/a.ts';", 'src/kernel may not import src/plugin'],
    ['src/plugin/a.ts', "import { x } from '../plugins/a.ts';", 'src/plugin may not import src/plugins'],
    ['src/testing/a.ts', "import { x } from '../cli/a.ts';", 'src/testing may not import src/cli'],
    ['src/plugins/a.ts', "import { x } from '../testing/a.ts';", 'src/plugins may not import src/testing'],
    ['src/plugin/a.ts', "import ip from 'ipaddr.js';", 'without dependencies'],
    ['src/cluster/a.ts', "import { x } from '../plugins/a.ts';", 'src/cluster may not import src/plugins'],
    ['src/cli/a.ts', "import { x } from '../bin/a.ts';", 'src/cli may not import src/bin'],
    ['src/other/a.ts', "import { x } from '../lib/a.ts';", 'src/other has no place'],
    ['src/lib/a.ts', "import { x } from '../../test/support/a.ts';", 'outside src/'],
    ['src/lib/a.ts', "import { x } from './b';", 'lacks its extension'],
    [
      'src/plugins/main/bridge/plugin.ts',
      "import { x } from '../../ipam/static/plugin.ts';",
      'main/bridge may not import ipam/static',
    ],
    [
      'src/plugins/shared/a.ts',
      "import { x } from '../main/bridge/a.ts';",
      'shared may not import main/bridge',
    ],
    [
      'src/plugins/main/bridge/a.ts',
      "import { x } from '../../names.ts';",
      'main/bridge may not import names.ts',
    ],
    ['src/kernel/netlink/a.ts', "import { ptr } from 'bun:ffi';", 'only src/kernel/sys'],
    ['src/plugins/a.ts', "import { ptr } from 'bun:ffi';", 'only src/kernel/sys'],
    ['src/kernel/a.ts', "import ip from 'ipaddr.js';", 'without dependencies'],
    ['src/cni/a.ts', "import ip from 'ipaddr.js';", 'node: builtins and itself only'],
    ['src/lib/a.ts', "import { $ } from 'bun';", 'node: builtins and itself only'],
    ['src/lib/a.ts', "import fs from 'fs';", 'node: builtins and itself only'],
    ['src/cni/a.ts', 'const hash = Bun.hash(x);', 'runs on Node too'],
    ['src/cli/a.ts', "import { test } from 'bun:test';", '*.test.ts files only'],
    ['src/cli/a.ts', 'const x = await import(name);', 'computed name'],
    ['src/cli/a.ts', 'process.exit(1);', 'process.exit: only src/bin'],
    ['src/cli/a.ts', 'process.exitCode = 1;', 'process.exitCode: only src/bin'],
    ['src/cli/a.ts', "process.stdout.write('x');", 'process.stdout: only src/bin'],
    ['src/cli/a.ts', "console.log('x');", 'console.log: only src/bin'],
    ['src/cli/a.ts', "writeSync(1, 'x');", 'only src/bin prints or exits'],
  ])('%s: %s', (file, text, expected) => {
    const found = messages(file, text);
    expect(found.length).toBe(1);
    expect(found[0]).toStartWith('1: ');
    expect(found[0]).toContain(expected);
  });

  test('every form of import is seen, on its line', () => {
    const text = [
      '/** about this file */',
      'import {',
      '  a,',
      "} from '../cni/1.ts';",
      "import type { B } from '../cni/2.ts';",
      "export * from '../cni/3.ts';",
      "import '../cni/4.ts';",
      "type C = import('../cni/5.ts').C;",
      "const d = async () => (await import('../cni/6.ts')).d;",
      "const e = require('../cni/7.ts');",
      "import * as f from '../cni/8.ts';",
    ].join('\n');
    const lines = checkImports('src/lib/a.ts', text).map(({ line }) => line);
    expect(lines.toSorted((a, b) => a - b)).toEqual([2, 5, 6, 7, 8, 9, 10, 11]);
  });
});

describe('what keeps them', () => {
  test.each([
    ['src/lib/a.ts', "import { readFileSync } from 'node:fs';"],
    ['src/cni/a.ts', "import { x } from '../lib/ip.ts';"],
    ['src/cni/a.test.ts', "import { test } from 'bun:test';"],
    ['src/kernel/sys/libc.ts', "import { dlopen } from 'bun:ffi';"],
    ['src/plugins/main/bridge/a.ts', "import { x } from '../../shared/nftables/owner.ts';"],
    ['src/plugin/a.ts', "import { x } from '../kernel/a.ts'; import { y } from '../cni/a.ts';"],
    ['src/plugins/main/bridge/a.ts', "import { x } from '../../../plugin/namespaces.ts';"],
    ['src/plugins/main/bridge/deep/a.ts', "import { x } from '../check.ts';"],
    ['src/plugins/names.ts', "const x = () => import('./main/bridge/plugin.ts');"],
    ['src/cli/a.ts', "import { x } from '../plugins/names.ts';"],
    ['src/bin/a.ts', 'process.exit(1);'],
    ['src/plugin/main.ts', 'process.exit(1);'],
    ['src/lib/a.ts', "// process.exit(1); import('../cni/a.ts')"],
    ['src/lib/a.ts', "/*\nimport { x } from '../cni/a.ts';\n*/"],
    ['src/lib/a.ts', "const hint = 'do not use console.log here';"],
    ['src/lib/a.ts', "export function f(): string {\n  return g('x');\n}"],
    ['src/lib/a.ts', "export type Kind = { readonly from: 'veth' };"],
    ['src/cli/a.ts', 'host.writeStdout(text); connection.exit();'],
  ])('%s: %s', (file, text) => {
    expect(messages(file, text)).toEqual([]);
  });
});
