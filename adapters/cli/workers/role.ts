/** What a worker's thread is made with. */
export interface Role {
  /** Tells a worker of this command from any other thread. */
  readonly role: "sallyport-worker"
  /** From 0. */
  readonly number: number
  readonly workers: number
}

/** Is this data what a thread is made with that waits for another's sockets? */
export const isWaiter = (data: unknown): boolean =>
  typeof data === "object" && data !== null && "role" in data && data.role === "sallyport-waiter"

/** Is this data what a worker of the command is made with? */
export const isRole = (data: unknown): data is Role =>
  typeof data === "object" && data !== null && "role" in data && data.role === "sallyport-worker"
