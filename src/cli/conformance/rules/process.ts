/** The plugin as a process: SPEC.md section 2, "Overview", "Parameters". */
import { mkdirSync } from 'node:fs';
import { type Bench, describe } from '../bench.ts';
import { Broken, Hung, type Rule, section } from '../rule.ts';

/** Rules about the process. */
export const processRules: readonly Rule[] = [
  {
    id: 'ends',
    group: 'process',
    text: 'every operation ends, whatever it is asked',
    section: section(2, 'Overview'),
    level: 'must',
    run: async ({ call, container }) => {
      const of = container();
      const hung: string[] = [];
      const attempt = async (command: string, stdin?: string) => {
        try {
          const answer = await call(command, { container: of, ...(stdin !== undefined && { stdin }) });
          return answer.json;
        } catch (error) {
          if (!(error instanceof Hung)) throw error;
          hung.push(error.message);
          return undefined;
        }
      };
      await attempt('VERSION');
      await attempt('ADD', '');
      await attempt('ADD');
      await attempt('CHECK');
      await attempt('DEL');
      await attempt('DEL');
      await attempt('GC');
      await attempt('STATUS');
      const [first] = hung;
      if (first !== undefined) throw new Broken(first, 'an end, with success or an error');
    },
  },
  {
    id: 'working-directory',
    group: 'process',
    text: 'the directory that the plugin is started in makes no difference',
    section: section(2, 'Parameters'),
    level: 'must',
    run: async (bench) => {
      const first = await bench.attach();
      await bench.on('DEL', first);
      const directory = '/var/lib/cni/conformance-cwd';
      mkdirSync(directory, { recursive: true });
      const container = bench.container();
      const added = await inDirectory(bench, container, directory);
      if (added.failed)
        throw new Broken(
          `ADD in an empty directory: ${describe(added)} (in / it succeeds)`,
          'success there as well',
        );
    },
  },
];

function inDirectory(
  { call }: Bench,
  container: ReturnType<Bench['container']>,
  cwd: string,
): ReturnType<Bench['call']> {
  return call('ADD', { container, cwd });
}
