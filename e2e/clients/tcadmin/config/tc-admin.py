"""A small tc-admin configuration: what lies in two YAML files is what Falconer shall hold of one project, and nothing beside it."""

import attr
from tcadmin.appconfig import AppConfig
from tcadmin.resources import Client, Role
from tcadmin.util.config import ConfigDict, LocalLoader

appconfig = AppConfig()


class Roles(ConfigDict):
    filename = "roles.yml"

    @attr.s
    class Item:
        roleId = attr.ib(type=str)
        description = attr.ib(type=str)
        scopes = attr.ib(type=list)


class Clients(ConfigDict):
    filename = "clients.yml"

    @attr.s
    class Item:
        clientId = attr.ib(type=str)
        description = attr.ib(type=str)
        scopes = attr.ib(type=list)


@appconfig.generators.register
async def library(resources):
    # Only roles and clients, and only those of the project: what else a deployment has is not ours to delete.
    resources.manage("Role=library:.*")
    resources.manage("Client=library/.*")
    loader = LocalLoader()
    for role in (await Roles.load(loader)).values():
        resources.add(Role(roleId=role.roleId, description=role.description, scopes=tuple(role.scopes)))
    for client in (await Clients.load(loader)).values():
        resources.add(Client(clientId=client.clientId, description=client.description, scopes=tuple(client.scopes)))
