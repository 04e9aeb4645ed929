/** A page's `console` blocks, played: each command is run, and what a person at a terminal would see takes its output's place. */
import { runProgram } from '../support/program.ts';

/** Where the commands run. */
export interface Terminal {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** The page as it would be if it showed what happens, and how many blocks it has. */
export async function played(
  text: string,
  terminal: Terminal,
): Promise<{ readonly happened: string; readonly examples: number }> {
  const parts = text.split(/^(```console\n[\s\S]*?^```$)/m);
  let examples = 0;
  let happened = '';
  for (const part of parts) {
    if (!part.startsWith('```console\n')) happened += part;
    else {
      examples++;
      happened += `\`\`\`console\n${await play(part, terminal)}\`\`\``;
    }
  }
  return { happened, examples };
}

async function play(body: string, { env, cwd }: Terminal): Promise<string> {
  let seen = '';
  let lastExitCode = 0;
  for (const [, command = ''] of body.matchAll(/^\$ (.*)$/gm)) {
    const script = `(exit ${lastExitCode})\n{ ${command}\n} 2>&1`;
    const { exitCode, stdout } = await runProgram(['bash', '-c', script], { env, cwd });
    lastExitCode = exitCode;
    seen += `$ ${command}\n${stdout}`;
  }
  return seen;
}
