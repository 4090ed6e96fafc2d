/**
 * What is called of the C library, by its C names (the manual's sections 2 and 3). `P` is how the runtime has a pointer. A `buffer` is
 * octets that C reads or writes during the call only; `size_t` and `ssize_t` are `bigint` on every runtime.
 */
export interface LibcSymbols<P> {
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, name: Uint8Array, length: number): number
  connect(fd: number, name: Uint8Array, length: number): number
  getsockname(fd: number, name: Uint8Array, length: Uint8Array): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array): number
  sendto(fd: number, bytes: Uint8Array, length: bigint, flags: number, name: Uint8Array, nameLength: number): bigint
  send(fd: number, bytes: Uint8Array, length: bigint, flags: number): bigint
  recv(fd: number, bytes: Uint8Array, length: bigint, flags: number): bigint
  recvmmsg(fd: number, headers: P, count: number, flags: number, timeout: P): number
  sendmmsg(fd: number, headers: P, count: number, flags: number): number
  ppoll(fds: P, count: bigint, timeout: P, signals: P): number
  epoll_create1(flags: number): number
  epoll_ctl(epoll: number, operation: number, fd: number, event: Uint8Array): number
  epoll_wait(epoll: number, events: P, count: number, timeout: number): number
  eventfd(initial: number, flags: number): number
  read(fd: number, bytes: Uint8Array, length: bigint): bigint
  write(fd: number, bytes: Uint8Array, length: bigint): bigint
  close(fd: number): number
  if_nametoindex(name: Uint8Array): number
  if_indextoname(index: number, name: Uint8Array): P
  __errno_location(): P
}

/** The library in this process. */
export interface BoundLibc<P> {
  readonly symbols: LibcSymbols<P>
  /** The null pointer. */
  readonly none: P
  /** The calling thread's `errno`, which is memory of the library: reading it calls nothing that could change it. */
  readonly errno: Int32Array
  /** Where that memory lies: it stays there as long as it is kept. */
  locate(memory: ArrayBuffer): { readonly pointer: P; readonly address: bigint }
  /** The pointer so many octets further. */
  offset(pointer: P, octets: number): P
}
