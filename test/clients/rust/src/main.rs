//! Asks Sallyport one question with stubs generated from its proto, as a Rust team would, and prints the effect.

use std::{env, error::Error, time::Duration};

use sallyport::{
    AuthorizeRequest, Principal, Subject, authorization_service_client::AuthorizationServiceClient,
    principal::Identity,
};
use tonic::{Request, transport::Endpoint};

/// The contract, as build.rs generated it.
mod sallyport {
    #![allow(dead_code, clippy::all, clippy::pedantic)]
    tonic::include_proto!("sallyport.v1");
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // What docs/clients.md advises. TLS is left out because the test's server is on this machine.
    let channel = Endpoint::from_shared(format!("http://{}", env::var("ADDRESS")?))?
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .connect_lazy();
    let subject = Subject {
        r#type: "user".into(),
        id: env::var("USER_ID")?,
        ..Default::default()
    };
    let mut request = Request::new(AuthorizeRequest {
        principal: Some(Principal {
            identity: Some(Identity::Subject(subject)),
            ..Default::default()
        }),
        permission: "documents:read".into(),
        ..Default::default()
    });
    request.set_timeout(Duration::from_secs(20));
    request.metadata_mut().insert(
        "authorization",
        format!("Bearer {}", env::var("KEY")?).parse()?,
    );
    let answer = AuthorizationServiceClient::new(channel)
        .authorize(request)
        .await?
        .into_inner();
    let decision = answer.decision.ok_or("an answer without a decision")?;
    println!("{}", decision.effect().as_str_name());
    Ok(())
}
