// The identity that the gateway is: it reads its secrets, calls Azure OpenAI, talks to Redis and writes usage as this one.
@description('Where it is.')
param location string
@description('Prefix of all names.')
param name string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-identity'
  location: location
}

output id string = identity.id
output name string = identity.name
output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
