/**
 * What `import "sallyport"` gives: packets, the client, the server and the CGN behind it. Each room is an entry of its own too
 * (`sallyport/wire` and so on); the table, which knows nothing of these protocols, is `sallyport/table` alone.
 */
export * from "./cgn/index.ts"
export * from "./client/index.ts"
export * from "./server/index.ts"
export { mappingCount, revoke } from "./server/index.ts"
export * from "./wire/index.ts"
export * from "./wire/text/index.ts"
