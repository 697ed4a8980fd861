//! The web framework: finds the handler of a request.

use std::fmt;
use std::io;
use std::pin::Pin;

use http_body_util::combinators::BoxBody;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use opbeat_core::http::CapturedError;

/// The body of a response.
pub type Body = BoxBody<Bytes, io::Error>;

/// The future of a handler. Its output is a response, or the error that the handler failed with.
///
/// `?` turns any error into a [`CapturedError`], which contains the line of the `?`.
pub type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, CapturedError>> + Send>>;

/// Routes and their handlers.
#[derive(Debug, Default)]
pub struct Router {
    routes: Vec<Route>,
}

struct Route {
    method: Method,
    template: &'static str,
    handler: Box<dyn Fn(Request<Incoming>) -> Answer + Send + Sync>,
}

impl Router {
    /// Adds a route, such as `/books/{id}` or `/files/*`.
    #[must_use]
    pub fn at<F>(
        mut self,
        method: Method,
        template: &'static str,
        handler: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response<Body>, CapturedError>> + Send + 'static,
    {
        let handler = Box::new(move |request| -> Answer { Box::pin(handler(request)) });
        self.routes.push(Route { method, template, handler });
        self
    }

    /// Returns the template that a path matches, whatever the method.
    #[must_use]
    pub fn template(&self, path: &str) -> Option<&'static str> {
        self.routes.iter().map(|route| route.template).find(|template| matches(template, path))
    }

    /// Calls the handler of a request.
    pub fn call(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path();
        let mut of_path = self.routes.iter().filter(|route| matches(route.template, path)).peekable();
        let is_known = of_path.peek().is_some();
        match of_path.find(|route| route.method == request.method()) {
            Some(route) => (route.handler)(request),
            None if is_known => refuse(StatusCode::METHOD_NOT_ALLOWED),
            None => refuse(StatusCode::NOT_FOUND),
        }
    }
}

fn refuse(status: StatusCode) -> Answer {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    Box::pin(std::future::ready(Ok(response)))
}

fn matches(template: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    for expected in template.split('/') {
        let Some(part) = parts.next() else { return false };
        match expected {
            "*" => return true,
            _ if expected.starts_with('{') || expected == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}
