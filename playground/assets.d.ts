declare module "*.css"

declare module "*?worker&inline" {
  const create: new () => Worker
  // biome-ignore lint/style/noDefaultExport: Vite gives a worker's constructor as the default
  export default create
}
