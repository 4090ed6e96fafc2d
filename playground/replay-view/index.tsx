export const Replay = (_: unknown) => null
