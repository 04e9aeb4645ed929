/** Time that no one sets: leases outlive the daemon, and a clock that is set must not end them. */
import { readFileSync } from '../../../kernel/sys/file.ts';

/** Milliseconds since the boot, the time that the machine slept included; in steps of 10 (proc_uptime(5)). */
export function sinceBoot(): number {
  return Math.round(Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1000);
}

/** This boot's id, random(4). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
