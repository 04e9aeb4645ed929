import { CniError } from '../cni/index.ts';

/**
 * The command line itself is wrong, and nothing was done. As a CNI error it has code 4, whose meaning is "invalid
 * environment": command line and environment variables are the same settings.
 */
export class UsageError extends CniError {
  constructor(message: string, whatToDo = '') {
    super('invalidEnvironment', message, whatToDo);
  }
}
