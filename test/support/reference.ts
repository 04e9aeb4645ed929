/** The reference's plugins, for tests beside ours: they need the package containernetworking-plugins. */

/** Their directory: Debian's, or others to be compared with by hand. */
export const reference = process.env.FAIRLEAD_REFERENCE ?? '/usr/lib/cni';
