/** Kernel settings (/proc/sys). */
export { linkSysctl, SysctlNameError, sysctlPath } from './name.ts';
export { readSysctl, SysctlError, type SysctlOptions, setSysctl, setSysctls } from './sysctl.ts';
