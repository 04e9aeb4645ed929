import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Fixture, makeFixture } from '../validate/fixture.ts';

let fixture: Fixture;
const write = (name: string, text: string) => fixture.write(name, text);
const validate = (...argv: readonly string[]) => fixture.validate(...argv);

beforeEach(() => {
  fixture = makeFixture();
});

afterEach(() => {
  fixture.remove();
});

test('every mistake at once, in the order of the file, with line and column', async () => {
  const file = write(
    'bad.conflist',
    `{
  "cniVersion": "1.1.0",
  "name": "pods/blue",
  "disableCheck": "perhaps",
  "disabelGC": true,
  "plugins": [
    {
      "type": "bridge",
      "bridge": "a-name-that-is-too-long",
      "isGatway": true,
      "vlan": 5000,
      "ipam": {
        "type": "host-local",
        "ranges": [[{ "subnet": "10.300.0.0/16", "rangeEnds": "10.1.0.9" }]],
        "routes": [{ "dst": "0.0.0.0" }]
      }
    },
    { "type": "portmap", "capabilities": { "portMappings": "yes" }, "markMasqBit": 40 },
    { "type": "tuning", "sysctl": {} }
  ]
}
`,
  );
  const { exitCode, stdout, stderr } = await validate(file);
  expect(stdout).toBe(
    `bad.conflist:3:3: error: \`name\` must start with a letter or digit and have only letters, digits, "_", "." and "-", got "pods/blue"
bad.conflist:4:3: error: \`disableCheck\` must be true or false, got "perhaps"
bad.conflist:5:3: hint: \`disabelGC\` is not known in a network; did you mean \`disableGC\`?
bad.conflist:9:7: error: \`bridge\` of plugin \`bridge\` must have at most 15 bytes, got 23 in "a-name-that-is-too-long"
bad.conflist:10:7: hint: \`isGatway\` is not known to plugin \`bridge\`; did you mean \`isGateway\`?
bad.conflist:11:7: error: \`vlan\` of plugin \`bridge\` must be 0–4094, got 5000
bad.conflist:14:23: error: \`ipam.ranges[0][0].subnet\` of plugin \`host-local\` must be a network such as "10.1.0.0/16", got "10.300.0.0/16"
bad.conflist:14:50: hint: \`ipam.ranges[0][0].rangeEnds\` is not known to plugin \`host-local\`; did you mean \`rangeEnd\`?
bad.conflist:15:22: error: \`ipam.routes[0].dst\` of plugin \`host-local\` must be an IP address with its prefix length, such as 10.1.0.5/16, got "0.0.0.0"
bad.conflist:18:44: error: \`plugins[1].capabilities.portMappings\` must be true or false, got "yes"
bad.conflist:18:69: error: \`markMasqBit\` of plugin \`portmap\` must be 0–31, got 40
bad.conflist:19:7: error: cannot find an executable for plugin type \`tuning\`: not in bin
wrong bad.conflist: 9 errors, 3 hints
`,
  );
  expect(stderr).toBe('');
  expect(exitCode).toBe(1);
});

describe('a network that is right', () => {
  const right = {
    cniVersion: '1.1.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        isgateway: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }]] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };

  test('of a .conflist', async () => {
    const { exitCode, stdout } = await validate(write('10-pods.conflist', JSON.stringify(right)));
    expect(stdout).toBe('ok 10-pods.conflist: network pods, bridge → portmap\n');
    expect(exitCode).toBe(0);
  });

  test('of a .conf with a single plugin', async () => {
    const { cniVersion, name, plugins } = right;
    const text = JSON.stringify({ cniVersion, name, ...plugins[0] });
    expect((await validate(write('10-pods.conf', text))).stdout).toBe(
      'ok 10-pods.conf: network pods, bridge\n',
    );
  });

  test('with plugins in the folder beside it; what is wrong there has its own file and line', async () => {
    mkdirSync(`${fixture.directory}/pods`);
    write('pods/20-portmap.conf', '{\n "type": "portmap",\n "snatt": false, "markMasqBit": -1 }');
    const { exitCode, stdout } = await validate(
      write('10-pods.conflist', JSON.stringify({ ...right, plugins: [right.plugins[0]] })),
    );
    expect(stdout).toBe(
      `pods/20-portmap.conf:3:2: hint: \`snatt\` is not known to plugin \`portmap\`; did you mean \`snat\`?
pods/20-portmap.conf:3:18: error: \`markMasqBit\` of plugin \`portmap\` must be 0–31, got -1
wrong 10-pods.conflist: 1 error, 1 hint
`,
    );
    expect(exitCode).toBe(1);
  });

  test('hints alone are exit code 0', async () => {
    const text = '{"cniVersion":"1.1.0","name":"a","plugins":[{"type":"bridge","misspelled":1}]}';
    const { exitCode, stdout } = await validate(write('a.conflist', text));
    expect(stdout).toBe(`a.conflist:1:62: hint: \`misspelled\` is not known to plugin \`bridge\`
ok a.conflist: 1 hint; network a, bridge
`);
    expect(exitCode).toBe(0);
  });
});

describe('files that are no network', () => {
  test.each([
    [
      'a.conflist',
      '{\n "name": "x",\n}',
      '3:1: error: is not JSON: here should be a member name in double quotes',
    ],
    ['a.conflist', '', '1:1: error: is not JSON: here should be a value'],
    ['a.conflist', '[]', '1:1: error: must be an object, got an empty list'],
    [
      'a.conflist',
      '{"name":"a","cniVersion":"9.9.9","plugins":[{"type":"bridge"}]}',
      'error: `cniVersion` must be one of 0.1.0, ',
    ],
    [
      'a.conf',
      '{"name":"a","plugins":[]}',
      '1:13: error: `plugins` makes this a list, but only a file whose name ends in .conflist may hold one',
    ],
  ])('%s with %j', async (name, text, message) => {
    const { exitCode, stdout } = await validate(write(name, text));
    expect(stdout).toContain(message);
    expect(stdout).toEndWith(`wrong ${name}: 1 error\n`);
    expect(exitCode).toBe(1);
  });

  test('one that is not there, beside one that is right', async () => {
    const right = write('a.conflist', '{"cniVersion":"1.1.0","name":"a","plugins":[{"type":"foreign"}]}');
    const { exitCode, stdout } = await validate(`${fixture.directory}/b.conflist`, right);
    expect(stdout).toMatch(
      /^b\.conflist: error: cannot be read: ENOENT.*\nwrong b\.conflist: 1 error\nok a\.conflist: network a, foreign; not checked: the keys of plugin foreign, .*\n$/,
    );
    expect(exitCode).toBe(1);
  });
});

describe('plugins that are not in this executable', () => {
  const network = (...plugins: readonly object[]) =>
    write('a.conflist', JSON.stringify({ cniVersion: '1.1.0', name: 'a', plugins }, null, 1));

  test('of those that cannot say what they take is said that nobody looked; they are asked for VERSION alone', async () => {
    const file = network({ type: 'foreign', mtuu: 'x', ipam: { type: 'foreign-ipam' } }, { type: 'bridge' });
    expect(await validate(file)).toEqual({
      exitCode: 0,
      stdout:
        "ok a.conflist: network a, foreign → bridge; not checked: the keys of plugins foreign, foreign-ipam, which are not Fairlead's and do not tell them\n",
      stderr: '',
    });
    expect(JSON.parse((await validate(file, '--json')).stdout)).toMatchObject({
      files: [{ findings: [], unchecked: ['foreign', 'foreign-ipam'] }],
    });
    const called = readFileSync(`${fixture.directory}/bin/foreign.calls`, 'utf8');
    expect(new Set(called.trimEnd().split('\n'))).toEqual(new Set(['VERSION']));
  });

  test('those written with our packages say what is wrong, like our own, and which keys they know', async () => {
    const file = network({
      type: 'authors',
      cable: { length: 500, lenght: 5 },
      lables: {},
      labels: { any: 'thing' },
      ends: [{ colour: 'red', color: 'red' }],
      a: 'x',
      b: 'y',
      ipam: { type: 'host-local', subnet: '10.300.0.0/16' },
    });
    const { exitCode, stdout } = await validate(file);
    expect(stdout.replaceAll(/^a\.conflist:\d+:\d+: /gm, '')).toBe(
      `error: \`cable.length\` of plugin \`authors\` must be 1–100, got 500
hint: \`cable.lenght\` is not known to plugin \`authors\`
hint: \`lables\` is not known to plugin \`authors\`
hint: \`ends[0].color\` is not known to plugin \`authors\`
error: \`b\` of plugin \`authors\` cannot be set together with \`a\`
error: \`ipam.subnet\` of plugin \`host-local\` must be a network such as "10.1.0.0/16", got "10.300.0.0/16"
wrong a.conflist: 3 errors, 3 hints
`,
    );
    expect(exitCode).toBe(1);
    const right = network({ type: 'authors', cable: { length: 5 } });
    expect((await validate(right)).stdout).toBe('ok a.conflist: network a, authors\n');
  });

  test.each([
    ['no object', '[]'],
    ['problems that are none', '{"problems":[{"path":1}],"keys":{}}'],
    ['keys that are none', '{"problems":[],"keys":{"members":7}}'],
  ])('an answer that is wrong is as none: %s', async (_what, answer) => {
    const text = `{"cniVersion":"1.1.0","supportedVersions":["1.1.0"],"fairlead":${answer}}`;
    writeFileSync(`${fixture.directory}/bin/foreign`, `#!/bin/sh\necho '${text}'\n`);
    const { exitCode, stdout } = await validate(network({ type: 'foreign', mtuu: 1 }));
    expect([exitCode, stdout]).toEqual([
      0,
      "ok a.conflist: network a, foreign; not checked: the keys of plugin foreign, which is not Fairlead's and does not tell them\n",
    ]);
  });
});

test('for programs', async () => {
  const path = write('a.conflist', '{"cniVersion":"1.1.0","name":"a","plugins":[{"type":"absent"}]}');
  const { exitCode, stdout } = await validate(path, '--json');
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    files: [
      {
        file: 'a.conflist',
        network: 'a',
        plugins: ['absent'],
        unchecked: [],
        findings: [
          {
            file: 'a.conflist',
            line: 1,
            column: 46,
            severity: 'error',
            message: 'cannot find an executable for plugin type `absent`: not in bin',
          },
        ],
      },
    ],
  });
});
