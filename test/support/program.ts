/** Running programs, as `fairlead/testing` does. */
export { type Ended, output, type ProgramOptions, runProgram } from '../../src/testing/program.ts';
