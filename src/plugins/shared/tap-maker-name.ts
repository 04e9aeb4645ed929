/** The name by which this executable makes a tap and does nothing else (main/tap/labelled.ts). */
export const tapMaker = 'fairlead-tap';
