//! Calls an `App` in the same way as actix-web's own tests.

use actix_http::Request;
use actix_web::Error;
use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::TestRequest;

use super::{Application, HEADERS};

pub struct Actix<S>(S);

impl<S> Actix<S> {
    pub fn new(service: S) -> Self {
        Self(service)
    }
}

impl<S, B> Application for Actix<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Request = Request;

    fn request(path: &str) -> Self::Request {
        let request = TestRequest::get().uri(path);
        HEADERS.iter().fold(request, |request, header| request.insert_header(*header)).to_request()
    }

    async fn exchange(&self, request: Self::Request) -> usize {
        let response = self.0.call(request).await.expect("a response");
        let Ok(body) = to_bytes(response.into_body()).await else { panic!("a body") };
        body.len()
    }
}
