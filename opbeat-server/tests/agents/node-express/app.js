// An Express application with the Node agent. It requests its own routes, prints the account of what it did, and stays
// until its standard input is closed: the agent sends transactions by a timer, and not when the process ends.
'use strict'

const server = new URL(process.env.OPBEAT_SERVER_URL)
const opbeat = require('opbeat').start({
  _apiHost: server.hostname,
  _apiPort: server.port,
  _apiSecure: false,
  flushInterval: 1,
  ignoreUrls: ['/prices'],
  hostname: 'web-3.example.com',
  logLevel: 'fatal'
})
const path = require('path')
const http = require('http')
const express = require('express')

const FORM = 'order=A-3&password=correct-horse'
const prices = http.createServer((request, response) => response.end('{}'))

const app = express()
app.use('/assets', express.static(path.join(__dirname, 'assets')))
app.get('/products/:id', (request, response) => {
  const trace = opbeat.buildTrace()
  if (trace) trace.start('render product', 'template.shop')
  if (trace) trace.end()
  if (request.params.id === '0') return setTimeout(() => response.status(404).end('no product'), 400)
  response.send('product ' + request.params.id)
})
const orders = express.Router()
orders.get('/orders/:id', (request, response) => {
  opbeat.setUserContext({ id: 7, username: 'ada', email: 'ada@example.com' })
  opbeat.setExtraContext({ cart: 'c-9' })
  const port = prices.address().port
  // The agent does not see `http.get`, which no longer calls the public `http.request` since Node 9.
  http.request({ host: '127.0.0.1', port, path: '/prices' }, (answer) => {
    answer.resume()
    answer.on('end', () => response.json({ id: request.params.id }))
  }).end()
})
app.use('/api/v1', orders)
app.post('/checkout', express.urlencoded({ extended: false }), (request, response) => {
  const error = new TypeError('card declined for order ' + request.body.order)
  error.code = 'E_DECLINED'
  throw error
})
app.use(opbeat.middleware.express())
app.use((error, request, response, next) => response.status(500).end(error.message))

function request (port, method, path, body, headers) {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers, agent: false }
    const sent = http.request(options, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

function capture (error, options) {
  return new Promise((resolve, reject) => {
    opbeat.captureError(error, options, (failure) => failure ? reject(failure) : resolve())
  })
}

async function importPrices () {
  const transaction = opbeat.startTransaction('nightly import', 'job.import')
  const trace = opbeat.buildTrace()
  trace.start('read prices', 'file.read')
  await new Promise((resolve) => setTimeout(resolve, 20))
  trace.end()
  transaction.result = 'done'
  opbeat.endTransaction()
}

async function main () {
  await new Promise((resolve) => prices.listen(0, '127.0.0.1', resolve))
  const listener = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => listener.once('listening', resolve))
  const port = listener.address().port
  for (let n = 0; n < 6; n++) await request(port, 'GET', '/products/7?page=' + n)
  await request(port, 'GET', '/products/0')
  for (let n = 0; n < 3; n++) await request(port, 'GET', '/api/v1/orders/' + n)
  for (let n = 0; n < 2; n++) await request(port, 'GET', '/assets/shop.css')
  for (let n = 0; n < 2; n++) await request(port, 'GET', '/nowhere')
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'driver/1.0' }
  for (let n = 0; n < 2; n++) await request(port, 'POST', '/checkout?coupon=SPRING', FORM, headers)
  await importPrices()
  await capture('Stock is low', { level: 'warning', extra: { left: 3 } })
  await capture({ message: 'Import of %s failed after %d tries', params: ['prices', 3] })
  await capture(new RangeError('no such page: 99'), { user: { id: 'u-1' }, extra: { pages: 12 } })
  const account = {
    transactions: [
      { name: 'GET /products/:id', kind: 'request', results: { 200: 6, 404: 1 } },
      { name: 'GET /api/v1/orders/:id', kind: 'request', results: { 200: 3 } },
      { name: 'GET static file', kind: 'request', results: { 200: 2 } },
      { name: 'GET unknown route', kind: 'request', results: { 404: 2 } },
      { name: 'POST /checkout', kind: 'request', results: { 500: 2 } },
      { name: 'nightly import', kind: 'job.import', results: { done: 1 } }
    ],
    // The agent sends the spans of some transactions only: these numbers are what it measured.
    spans: [
      { transaction: 'GET /products/:id', kind: 'template.shop', signature: 'render product', count: 7 },
      { transaction: 'GET /api/v1/orders/:id', kind: 'ext.http.http', signature: 'GET 127.0.0.1:' + prices.address().port + '/prices', count: 3 },
      { transaction: 'nightly import', kind: 'file.read', signature: 'read prices', count: 1 }
    ],
    errors: [
      { type: 'TypeError', message: 'card declined for order A-3', times: 2 },
      { type: 'RangeError', message: 'no such page: 99', times: 1, newest_function: 'main' },
      { type: 'Error', message: 'the end of the program', level: 'fatal', times: 1 },
      { message: 'Stock is low', level: 'warning', times: 1 },
      { message: 'Import of prices failed after 3 tries', times: 1 }
    ]
  }
  console.log('account ' + JSON.stringify(account))
  process.stdin.resume()
  process.stdin.on('end', function end () { throw new Error('the end of the program') })
}

main()
