// The shop's page. It runs in the page's realm, see page.js.
'use strict'

var opbeat = require('opbeat-react')
var React = require('react')
var ReactDOM = require('react-dom')
var router = require('react-router')

var element = React.createElement

/** Shows the shop, visits its pages, fails twice, and resolves to the account of what happened. */
module.exports = function shop (options) {
  opbeat.default(options.settings)
  opbeat.setUserContext({ id: 7, username: 'ada', email: 'ada@example.com' })
  opbeat.setExtraContext({ plan: 'gold' })
  opbeat.wrapRouter(router.Router)

  function get (path) {
    return new Promise(function (resolve) {
      var request = new window.XMLHttpRequest()
      request.open('GET', options.api + path)
      request.onload = resolve
      request.send()
    })
  }

  function page (title, path) {
    return class Page extends React.Component {
      componentDidMount () { get(path) }
      render () {
        var links = ['/cart', '/orders/7', '/orders/8'].map(function (to) {
          return element(router.Link, { key: to, to: to, id: to }, to)
        })
        return element('div', null, element('h1', null, title), links)
      }
    }
  }

  function later (milliseconds) {
    return new Promise(function (resolve) { window.setTimeout(resolve, milliseconds) })
  }

  function click (id) {
    document.getElementById(id).dispatchEvent(new window.MouseEvent('click', { bubbles: true, cancelable: true, button: 0 }))
    return later(300)
  }

  function declined () {
    var error = new TypeError('card declined for order A-4')
    error.code = 'E_DECLINED'
    throw error
  }

  var routes = element(router.Router, { history: router.browserHistory },
    element(router.Route, { path: '/', component: page('Products', '/products?page=1') }),
    element(router.Route, { path: '/cart', component: page('Cart', '/cart') }),
    element(router.Route, { path: '/orders/:id', component: page('Order', '/orders') }))
  ReactDOM.render(routes, document.getElementById('shop'))
  document.getElementById('pay').addEventListener('click', declined)

  return later(300)
    .then(function () { return click('/cart') })
    .then(function () { return click('/orders/7') })
    .then(function () { return click('/orders/8') })
    .then(function () { return click('pay') })
    .then(function () {
      try {
        null.total
      } catch (error) {
        opbeat.captureError(error)
      }
      return later(300)
    })
    .then(function () {
      return {
        transactions: [
          { name: '/', kind: 'page-load', results: { null: 1 } },
          { name: '/cart', kind: 'route-change', results: { null: 1 } },
          { name: '/orders/:id', kind: 'route-change', results: { null: 2 } }
        ],
        errors: [
          { type: 'TypeError', message: 'card declined for order A-4', times: 1, newest_function: 'declined' },
          { type: 'TypeError', message: "Cannot read properties of null (reading 'total')", times: 1 }
        ]
      }
    })
}
