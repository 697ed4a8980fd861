//! Calls of gRPC through tonic's channels.

use crate::client::ClientLayer;

/// Returns a layer for a channel. Each call is a span of the kind `ext.grpc.tonic`, named after its method.
///
/// The span lasts to the end of a stream of responses. It shows the number of the call's status as `status`, and the
/// name of a status other than `Ok` as `error`. See [`client`](crate::client) for the other values.
///
/// # Examples
///
/// ```no_run
/// use tonic::transport::Channel;
/// use tower::ServiceBuilder;
///
/// # async fn connect() -> Result<(), tonic::transport::Error> {
/// let channel = Channel::from_static("http://prices.example:50051").connect().await?;
/// let channel = ServiceBuilder::new().layer(opbeat_instrument::tonic::layer()).service(channel);
/// // let client = PricesClient::new(channel);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn layer() -> ClientLayer {
    ClientLayer::new_for_grpc("tonic")
}
