// A page of a shop in jsdom, with the agent for React. The page's modules are evaluated in the page's own realm, as a
// bundle would be; `require` reads them from the installed packages. The program prints the account of what it did, and
// stays until its standard input is closed: the agent sends transactions every 5 seconds.
'use strict'

const fs = require('fs')
const http = require('http')
const path = require('path')
const vm = require('vm')
const { JSDOM, VirtualConsole } = require('jsdom')

const HTML = '<!doctype html><title>Shop</title><div id="shop"></div><button id="pay">Pay</button>'

/** Returns a `require` whose modules run in the page. Their addresses are below the page's origin. */
function loader (context, process) {
  const loaded = new Map()
  const root = __dirname

  function resolve (name, folder) {
    const file = require.resolve(name, { paths: [folder] })
    if (name.startsWith('.') || name.startsWith('/')) return file
    const manifest = findManifest(file)
    const { main, browser } = JSON.parse(fs.readFileSync(manifest))
    const isMain = main && path.resolve(path.dirname(manifest), main) === file
    return isMain && typeof browser === 'string' ? path.resolve(path.dirname(manifest), browser) : file
  }

  return function load (name, folder = root) {
    const file = resolve(name, folder)
    if (loaded.has(file)) return loaded.get(file).exports
    const module = { exports: {} }
    loaded.set(file, module)
    const place = file.lastIndexOf('node_modules')
    const address = 'https://shop.example/' + (place < 0 ? path.relative(root, file) : file.slice(place))
    const code = '(function (module, exports, require, process) {' + fs.readFileSync(file, 'utf8') + '\n})'
    const run = vm.runInContext(code, context, { filename: address })
    run.call(module.exports, module, module.exports, (next) => load(next, path.dirname(file)), process)
    return module.exports
  }
}

function findManifest (file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json')
    if (fs.existsSync(manifest) && JSON.parse(fs.readFileSync(manifest)).name) return manifest
  }
}

async function main () {
  // The shop's own API allows the page's origin, and is no server of Opbeat.
  const api = http.createServer((request, response) => {
    response.setHeader('access-control-allow-origin', 'https://shop.example')
    response.end('[]')
  })
  await new Promise((resolve) => api.listen(0, '127.0.0.1', resolve))
  const virtualConsole = new VirtualConsole()
  virtualConsole.on('warn', (...words) => console.error('page:', ...words))
  const dom = new JSDOM(HTML, { url: 'https://shop.example/?coupon=SPRING', runScripts: 'outside-only', pretendToBeVisual: true, virtualConsole })
  const { window } = dom
  // jsdom has no Navigation Timing. The agent reads these marks of a page load.
  const start = Date.now() - 300
  const marks = ['fetchStart', 'domainLookupStart', 'domainLookupEnd', 'connectStart', 'connectEnd', 'requestStart',
    'responseStart', 'responseEnd', 'domLoading', 'domInteractive', 'domContentLoadedEventStart',
    'domContentLoadedEventEnd', 'domComplete', 'loadEventStart', 'loadEventEnd']
  const times = [0, 2, 10, 10, 30, 31, 90, 120, 122, 200, 201, 215, 240, 241, 250]
  window.performance.timing = Object.fromEntries(marks.map((mark, index) => [mark, start + times[index]]))
  const load = loader(dom.getInternalVMContext(), { env: { NODE_ENV: 'production' } })
  const server = process.env.OPBEAT_SERVER_URL
  const settings = { orgId: process.env.OPBEAT_ORGANIZATION_ID, appId: process.env.OPBEAT_APP_ID, apiOrigin: server }
  const shop = load('./shop.js')
  const account = await shop({ settings, api: 'http://127.0.0.1:' + api.address().port })
  console.log('account ' + JSON.stringify(account))
  process.stdin.resume()
  process.stdin.on('end', () => process.exit(0))
}

main()
