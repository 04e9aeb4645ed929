/** Configuration files for tests, and a bin directory with programs that know VERSION. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { cli, type Ran } from '../testing.ts';

/** A directory of its own; paths in what `validate` printed are below it. */
export interface Fixture {
  readonly directory: string;
  /** Writes a file and returns its path. */
  write(name: string, text: string): string;
  validate(...argv: readonly string[]): Promise<Ran>;
  /** The findings of a network with these plugins, without the file's name. */
  findings(plugins: readonly unknown[], more?: object): Promise<readonly string[]>;
  remove(): void;
}

const repository = new URL('../../..', import.meta.url).pathname;

/** A plugin as an author writes it, run by the interpreter of the tests. */
function writeAuthorsPlugin(directory: string, name: string): void {
  writeFileSync(
    `${directory}/${name}.ts`,
    `import { array, definePlugin, integer, object, pluginMain, record, string } from '${repository}src/plugin/index.ts';
await pluginMain(definePlugin({
  name: '${name}',
  config: object({
    cable: object({ length: integer({ min: 1, max: 100 }).default(1) }).default({}),
    labels: record(string()).default({}),
    ends: array(object({ colour: string() })).default([]),
    a: string().default(''),
    b: string().default(''),
  }).notTogether('a', 'b'),
  add: () => ({}),
  del() {},
  check() {},
}));
`,
  );
  writeFileSync(
    `${directory}/bin/${name}`,
    `#!/bin/sh\nexec '${process.execPath}' '${directory}/${name}.ts'\n`,
  );
  chmodSync(`${directory}/bin/${name}`, 0o755);
}

/** Makes one. Its plugin `old` supports versions up to 0.4.0, and `foreign` is not ours; `authors` is written with our packages. */
export function makeFixture(): Fixture {
  const directory = mkdtempSync(`${tmpdir()}/fairlead-validate-`);
  const bin = `${directory}/bin`;
  mkdirSync(bin);
  for (const name of ['bridge', 'host-local', 'portmap', 'static', 'foreign', 'foreign-ipam'])
    writePlugin(`${bin}/${name}`, ['0.4.0', '1.0.0', '1.1.0']);
  writePlugin(`${bin}/old`, ['0.3.1', '0.4.0']);
  writeAuthorsPlugin(directory, 'authors');
  const write = (name: string, text: string) => {
    writeFileSync(`${directory}/${name}`, text);
    return `${directory}/${name}`;
  };
  const validate = async (...argv: readonly string[]) => {
    const env = { CNI_PATH: bin, PATH: '/usr/bin:/bin' };
    const { stdout, ...rest } = await cli(['validate', ...argv], { env });
    return { stdout: stdout.replaceAll(`${directory}/`, ''), ...rest };
  };
  const findings = async (plugins: readonly unknown[], more: object = {}) => {
    const network = { cniVersion: '1.1.0', name: 'a', ...more, plugins };
    const { stdout } = await validate(write('a.conflist', JSON.stringify(network, null, 1)));
    const lines = stdout.trimEnd().split('\n').slice(0, -1);
    return lines.map((line) => line.replace(/^a\.conflist:/, ''));
  };
  return { directory, write, validate, findings, remove: () => rmSync(directory, { recursive: true }) };
}

function writePlugin(path: string, supportedVersions: readonly string[]): void {
  const answer = JSON.stringify({ cniVersion: '1.1.0', supportedVersions });
  writeFileSync(path, `#!/bin/sh\necho "$CNI_COMMAND" >>"$0.calls"\necho '${answer}'\n`);
  chmodSync(path, 0o755);
}
