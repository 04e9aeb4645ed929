import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { errorOf } from '../testing.ts';
import { loadFirstNetwork, loadNetwork, loadNetworkFile, loadNetworks, parseNetwork } from './load.ts';
import { formatLoadProblem } from './source.ts';

const root = mkdtempSync(join(tmpdir(), 'fairlead-load-'));
afterAll(() => rmSync(root, { recursive: true }));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(root, 'net.d-'));
});

/** Writes a file of the folder, and the folders on its way; an object as JSON. */
function put(name: string, content: object | string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const list = (name: string, ...types: string[]) => ({
  cniVersion: '1.0.0',
  name,
  plugins: types.map((type) => ({ type })),
});
const single = (name: string, type: string) => ({ cniVersion: '1.0.0', name, type });

/** The types of the plugins of the network of this name. */
const typesOf = (name: string) => loadNetwork(folder, name).plugins.map(({ type }) => type);

describe('which file is taken for a name', () => {
  test('lists come before single plugins, each in the order of the names', () => {
    put('00.conf', single('net', 'conf'));
    put('05.json', single('net', 'json'));
    put('20.conflist', list('net', 'second'));
    put('10.conflist', list('net', 'first'));
    expect(typesOf('net')).toEqual(['first']);
    rmSync(join(folder, '10.conflist'));
    expect(typesOf('net')).toEqual(['second']);
    rmSync(join(folder, '20.conflist'));
    expect(typesOf('net')).toEqual(['conf']);
    rmSync(join(folder, '00.conf'));
    expect(typesOf('net')).toEqual(['json']);
  });

  test('containerd takes the first by name, whatever its ending', () => {
    put('10.conflist', list('list', 'a'));
    put('05.json', single('json', 'b'));
    put('00.txt', 'not looked at');
    mkdirSync(join(folder, '00.conf'));
    expect(loadFirstNetwork(folder).name).toBe('json');
  });

  test('other endings and folders are not looked at, links are', () => {
    put('a.conflist.bak', list('net', 'bak'));
    put('b.yaml', list('net', 'yaml'));
    mkdirSync(join(folder, 'c.conflist'));
    const target = put('elsewhere/real', list('net', 'linked'));
    symlinkSync(target, join(folder, 'd.conflist'));
    expect(typesOf('net')).toEqual(['linked']);
  });

  test('another network that is wrong does not stand in the way', () => {
    put('10.conflist', { cniVersion: '9.0.0', name: 'future', plugins: [{}] });
    put('20.conflist', list('net', 'a'));
    expect(typesOf('net')).toEqual(['a']);
  });

  test('a file before it that names no network does: it may have been meant', () => {
    const file = put('10.conflist', '{"name": ');
    put('20.conflist', list('net', 'a'));
    const error = errorOf(() => loadNetwork(folder, 'net'));
    expect(error.code).toBe(6);
    expect(error.msg).toBe(`${file}:1:10: is not JSON: here should be a value`);
  });

  test('none', () => {
    expect(errorOf(() => loadNetwork(folder, 'net'))).toMatchObject({
      code: 7,
      msg: `no network "net" in ${folder}`,
      details: 'it has no network configurations',
    });
    put('10.conflist', list('one', 'a'));
    put('20.conf', single('two', 'a'));
    expect(errorOf(() => loadNetwork(folder, 'net')).details).toBe('it has one, two');
    expect(errorOf(() => loadFirstNetwork(join(folder, 'absent'))).code).toBe(7);
    expect(loadNetworks(join(folder, 'absent'))).toEqual({ networks: [], problems: [] });
  });
});

describe('what a list holds', () => {
  test('a single plugin becomes a list, in the bytes that libcni makes of it', () => {
    put('10.conf', '{ "type": "a", "name": "net", "cniVersion": "0.4.0", "z": {"y": 1, "x": "<"} }');
    const network = loadNetwork(folder, 'net');
    expect(network).toMatchObject({ name: 'net', cniVersion: '0.4.0', file: join(folder, '10.conf') });
    expect(new TextDecoder().decode(network.bytes)).toBe(
      '{"cniVersion":"0.4.0","name":"net","plugins":[{"cniVersion":"0.4.0","name":"net","type":"a","z":{"x":"\\u003c","y":1}}]}',
    );
  });

  test('plugins of the folder beside it come after its own, by name', () => {
    put('10.conflist', list('net', 'own'));
    put('net/20-b.conf', { type: 'b' });
    put('net/10-a.conf', { type: 'a' });
    put('net/05.json', { type: 'not looked at' });
    expect(typesOf('net')).toEqual(['own', 'a', 'b']);
  });

  test('or instead of its own', () => {
    put('10.conflist', { cniVersion: '1.0.0', name: 'net' });
    put('net/a.conf', { type: 'a' });
    expect(typesOf('net')).toEqual(['a']);
  });

  test('unless it says loadOnlyInlinedPlugins', () => {
    put('10.conflist', { ...list('net', 'own'), loadOnlyInlinedPlugins: true });
    put('net/a.conf', 'not even JSON');
    expect(typesOf('net')).toEqual(['own']);
  });

  test('a single plugin has no folder beside it', () => {
    put('10.conf', single('net', 'own'));
    put('net/a.conf', { type: 'a' });
    expect(typesOf('net')).toEqual(['own']);
  });

  test.each([
    [{}, '0.1.0'],
    [{ cniVersion: '' }, '0.1.0'],
    [{ cniVersion: '0.3.1' }, '0.3.1'],
    [{ cniVersions: ['0.3.1', '1.1.0', '0.4.0'] }, '1.1.0'],
    [{ cniVersions: ['0.3.1', '2.0.0'] }, '0.3.1'],
    [{ cniVersion: '0.4.0', cniVersions: ['0.3.1'] }, '0.4.0'],
    [{ cniVersion: '7.0.0', cniVersions: ['1.0.0'] }, '1.0.0'],
  ])('the highest version that is known: %j', (versions, expected) => {
    const bytes = new TextEncoder().encode(
      JSON.stringify({ ...versions, name: 'n', plugins: [{ type: 'a' }] }),
    );
    expect(parseNetwork(bytes).cniVersion).toBe(expected as never);
  });

  test.each([
    [true, true],
    ['TRUE', true],
    ['false', false],
    [null, false],
  ])('disableCheck and disableGC: %j', (given, expected) => {
    put('10.conflist', { ...list('net', 'a'), disableCheck: given, disableGC: given });
    expect(loadNetwork(folder, 'net')).toMatchObject({ disableCheck: expected, disableGC: expected });
  });

  test('only capabilities that are true are declared', () => {
    const plugin = { type: 'a', capabilities: { portMappings: true, bandwidth: false, mac: true } };
    put('10.conflist', { cniVersion: '1.0.0', name: 'net', plugins: [plugin] });
    expect(loadNetwork(folder, 'net').plugins[0]).toEqual({
      type: 'a',
      capabilities: ['portMappings', 'mac'],
      json: plugin,
    });
  });

  test('a byte order mark is refused, as libcni does', () => {
    const file = put('10.conflist', `\ufeff${JSON.stringify(list('net', 'a'))}`);
    expect(errorOf(() => typesOf('net')).msg).toBe(`${file}:1:1: is not JSON: here should be a value`);
  });
});

describe('what is wrong is said with file and line', () => {
  const text = (...lines: string[]) => lines.join('\n');

  test.each([
    ['a.conflist', '', 6, '1:1: is not JSON: here should be a value'],
    ['a.conflist', '{"name": "n",}', 6, '1:14: is not JSON: here should be a member name in double quotes'],
    ['a.conflist', '[]', 7, '1:1: must be an object, got an empty list'],
    ['a.conflist', text('{', ' "name": 7,', ' "plugins": [{"type": "a"}] }'), 7, '2:2: `name` must be'],
    ['a.conflist', '{"name": "../n", "plugins": [{"type": "a"}]}', 7, '1:2: `name` must start with a letter'],
    ['a.conflist', '{"name": "n", "plugins": []}', 7, '1:15: `plugins` must be a list that is not empty'],
    ['a.conflist', '{"name": "n", "plugins": {}}', 7, '1:15: `plugins` must be a list'],
    ['a.conflist', '{"name": "n"}', 7, ' network "n" has no `plugins` and no '],
    [
      'a.conflist',
      '{"name": "n", "loadOnlyInlinedPlugins": true}',
      7,
      '1:15: `loadOnlyInlinedPlugins` must not',
    ],
    [
      'a.conflist',
      text('{"name": "n", "plugins": [', '{"type": "a"},', '{} ]}'),
      7,
      '3:1: `plugins[1].type` is missing',
    ],
    [
      'a.conflist',
      '{"name": "n", "plugins": [{"type": "../a"}]}',
      7,
      '1:28: `plugins[0].type` must be the name of a',
    ],
    [
      'a.conflist',
      text('{"name": "n",', '"cniVersion": "9.0.0", "plugins": [{"type": "a"}]}'),
      1,
      '2:1: `cniVersion` must be one of 0.1.0',
    ],
    [
      'a.conflist',
      '{"name": "n", "cniVersion": "x", "plugins": [{"type": "a"}]}',
      7,
      '1:15: `cniVersion` must be a version',
    ],
    [
      'a.conflist',
      '{"name": "n", "disableGC": "yes", "plugins": [{"type": "a"}]}',
      7,
      '1:15: `disableGC` must be true or false',
    ],
    ['a.conf', '{"name": "n", "plugins": [{"type": "a"}]}', 7, 'ends in .conflist'],
    ['a.conf', '{"name": "n"}', 7, '1:1: `type` is missing'],
    ['a.json', '{"type": "a"}', 7, '1:1: `name` is missing'],
    ['a.json', '"x"', 7, '1:1: must be an object'],
  ])('%s %j', (name, content, code, message) => {
    const file = put(name, content);
    const error = errorOf(() => loadNetworkFile(file));
    expect(error.msg.startsWith(`${file}:`)).toBe(true);
    expect(error.msg).toContain(message);
    expect(error.code).toBe(code);
  });

  test('every problem, and the code of the first', () => {
    const file = put('a.conflist', '{"name": "-", "disableGC": 3,\n "plugins": [{}, {"type": ""}]}');
    const error = errorOf(() => loadNetworkFile(file));
    expect(error.code).toBe(7);
    expect(error.message.match(/a\.conflist:\d+:\d+/g)).toEqual([
      'a.conflist:1:2',
      'a.conflist:1:15',
      'a.conflist:2:14',
      'a.conflist:2:19',
    ]);
  });

  test('of a plugin beside the list', () => {
    const file = put('a.conflist', list('n', 'own'));
    const beside = put('n/b.conf', '{\n"type": 3}');
    expect(errorOf(() => loadNetworkFile(file)).msg).toBe(`${beside}:2:1: \`type\` must be a text, got 3`);
  });

  test('a file that is not there, a file that is a folder', () => {
    expect(errorOf(() => loadNetworkFile(join(folder, 'absent.conf'))).code).toBe(5);
    mkdirSync(join(folder, 'dir.conf'));
    expect(errorOf(() => loadNetworkFile(join(folder, 'dir.conf'))).code).toBe(5);
  });

  test('of a folder: the others are there all the same', () => {
    put('10.conflist', list('one', 'a'));
    const wrong = put('20.conflist', '{');
    const twin = put('30.conf', single('one', 'b'));
    put('40.json', single('two', 'c'));
    const { networks, problems } = loadNetworks(folder);
    expect(networks.map(({ name }) => name)).toEqual(['one', 'two']);
    expect(problems.map(formatLoadProblem)).toEqual([
      `${wrong}:1:2: is not JSON: here should be a member name in double quotes`,
      `${twin}: never used: ${join(folder, '10.conflist')} is found first and has the same \`name\`, "one"`,
    ]);
  });

  test('a folder that is none', () => {
    const error = errorOf(() => loadNetworks(put('a.conf', '{}')));
    expect(error.code).toBe(5);
    expect(error.msg).toContain('a.conf: cannot be listed: ');
  });

  test('of bytes that are no file', () => {
    const error = errorOf(() => parseNetwork(new TextEncoder().encode('{"name": "n",\n"plugins": [{}]}')));
    expect(error.msg).toBe('configuration:2:13: `plugins[0].type` is missing: it must be a text');
  });
});
