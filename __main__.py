"""Build one edge inference site: bare Linux hosts in, answered requests out."""

import pulumi

from components.cluster import Cluster, ClusterArgs, node_preparation
from components.departure import Departure, DepartureArgs
from components.endpoint import InferenceEndpoint, InferenceEndpointArgs
from components.fleet import Fleet, FleetArgs
from components.host import PreparedHost, PreparedHostArgs
from components.load import load_site
from components.members import Members, MembersArgs
from components.model_store import PublishedModels, PublishedModelsArgs
from components.network import ClusterNetwork, ClusterNetworkArgs
from components.serving import ModelServer, ModelServerArgs
from components.smoke import SmokeRequest, SmokeRequestArgs
from components.workspace import SiteWorkspace, SiteWorkspaceArgs

loaded = load_site()
site, artifacts, sources, picture = loaded.site, loaded.artifacts, loaded.sources, loaded.picture_sha256

fleet = Fleet("hosts", FleetArgs(site=site, artifacts=artifacts))
nodes = {
    node.name: PreparedHost(
        f"environment-{node.name}",
        PreparedHostArgs(host=fleet.hosts[node.name], preparation=node_preparation(site, node), artifacts=artifacts),
    ).node
    for node in site.nodes
}
cluster = Cluster("initialise", ClusterArgs(site=site, prepared=nodes[site.server.name])).access
workers = Members("join", MembersArgs(site=site, prepared=nodes, access=cluster)).workers
namespace = SiteWorkspaceArgs(site=site, access=cluster, workers=workers)
workspace = SiteWorkspace("workspace", namespace).workspace
network = ClusterNetwork("network", ClusterNetworkArgs(site=site, workspace=workspace))

published = PublishedModelsArgs(host=fleet.store, store=site.model_store, sources=sources, workspace=workspace)
volume = PublishedModels("models", published).volume
models = [
    ModelServer(
        f"framework-{model.name}",
        ModelServerArgs(model=model, source=source, volume=volume, workspace=workspace, artifacts=artifacts),
    ).served
    for model, source in zip(site.models, sources, strict=True)
]
answers = InferenceEndpointArgs(
    settings=site.endpoint, models=models, workspace=workspace, artifacts=artifacts, access=loaded.access
)
endpoint = InferenceEndpoint("endpoint", answers).endpoint
proof = SmokeRequestArgs(
    site_name=site.name, settings=site.smoke, picture_sha256=picture, endpoint=endpoint, models=models, volume=volume
)
smoke = SmokeRequest("smoke", proof)
Departure("departure", DepartureArgs(site=site, prepared=nodes, access=cluster, leaving=[network, smoke]))

pulumi.export("endpoint", endpoint.url)
pulumi.export("nodes", {node.name: {"address": str(node.address), "role": node.role} for node in site.nodes})
pulumi.export("versions", {"kubernetes": cluster.version, "site": site.kubernetes.version})
pulumi.export("models", {source.name: {"versions": sorted(source.versions, key=int)} for source in sources})
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("answer", smoke.answer)
