/**
 * The words of a command and where it prints, with nothing loaded for it that the runtime does not have ready: the least that `sallyport decode`
 * needs. Each runtime's adapter has one, and `#console` is that of the runtime at hand.
 */
export interface Console {
  /** The arguments of the command. */
  readonly words: readonly string[]
  /** Is there a file, a pipe or a device of that name? Not a folder. */
  isFile(path: string): Promise<boolean>
  /** May this command read a file of that name, were it there? Left out: the runtime itself forbids nothing. */
  mayRead?(path: string): boolean
  /** Is standard output (1) or error (2) a terminal, or another device of its kind? */
  isTerminal(fd: 1 | 2): Promise<boolean>
  /** Writes text whole; where nobody reads it any more, it is dropped. */
  write(fd: 1 | 2, text: string): Promise<void>
  /** The exit code when the command has nothing more to do. */
  end(code: number): void
}
