/** Is there room for more than what is looked at? On a phone the rest is folded until it is asked for. */
export const hasRoom = (): boolean => matchMedia("(min-width: 700px)").matches
